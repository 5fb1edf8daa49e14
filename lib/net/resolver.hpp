// Turns host names into addresses, on a few threads of its own since the system's resolver blocks.
// One per process, thread-safe; owned by Network. One lookup per host at a time, whoever asks; answers and
// failures are remembered for a short time. Stops by stop(): a lookup cannot be cancelled, so a thread that
// is still inside one is left to end by itself; it then touches nothing but state it owns a share of.
#pragma once

#include "base/ip_address.hpp"

#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace docmap::net {

/// The addresses of a host in the order to try them, or why there are none.
struct ResolverAnswer {
    std::vector<base::IpAddress> addresses;
    std::string error; ///< `DNS lookup failed: <host>: <reason>`, empty where there are addresses
};

using ResolverAnswerPtr = std::shared_ptr<const ResolverAnswer>;

/// Asks the system for a host's addresses; blocks. Called on the resolver's threads.
using LookupFunction = std::function<ResolverAnswer(const std::string& host)>;

/// getaddrinfo: /etc/hosts, DNS, whatever the machine is set up for.
ResolverAnswer look_up_with_system(const std::string& host);

/// One asker's wait for an answer. Used on the asker's thread only.
class PendingLookup {
  public:
    explicit PendingLookup(std::function<void(const ResolverAnswer&)> on_answer)
        : on_answer_(std::move(on_answer)) {}

    /// The answer will not be heard any more.
    void cancel() { on_answer_ = nullptr; }

    void answer(const ResolverAnswer& answer);

  private:
    std::function<void(const ResolverAnswer&)> on_answer_;
};

using PendingLookupPtr = std::shared_ptr<PendingLookup>;

struct ResolverSettings {
    std::size_t threads = 4;
    std::chrono::milliseconds cache_ttl{10000};    ///< for answers and failures
    std::chrono::milliseconds slow_after{1000};    ///< a host whose lookup took longer counts as slow
    std::chrono::milliseconds stop_patience{1000}; ///< how long stop() waits for lookups to end
    std::size_t max_hosts = 10000;                 ///< remembered or being looked up
};

class Resolver {
  public:
    explicit Resolver(ResolverSettings settings, LookupFunction look_up = look_up_with_system);
    ~Resolver();

    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    /// The answer where it takes no lookup (an address in text, a host asked about lately), else null.
    ResolverAnswerPtr find(const std::string& host);

    /// Asks. The answer is posted to `context`, which must run until stop(); never given inside the call.
    PendingLookupPtr ask(const std::string& host, boost::asio::io_context& context,
                         std::function<void(const ResolverAnswer&)> on_answer);

    /// Ends the threads, waiting `stop_patience` at most. No answer is posted after it returns.
    void stop();

  private:
    struct State;

    std::shared_ptr<State> state_; ///< shared with the threads, which may outlast this object
};

} // namespace docmap::net
