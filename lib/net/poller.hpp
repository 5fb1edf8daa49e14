// Tells watchers when their sockets are ready. A socket is registered once and edge-triggered, so that
// waiting for a response costs no system call; a wait of Asio's costs one each time. Lives on its shard's
// thread, beside the shard's io_context, which waits for it; destroyed before that io_context.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <sys/epoll.h>

namespace docmap::net {

/// What a socket is ready for.
struct Readiness {
    bool readable;
    bool writable;
    bool ended; ///< the peer sends nothing further, or the connection broke; with what it sent before
};

/// Hears of one socket, on the shard's thread. May be destroyed in the call, once it has been forgotten.
class SocketWatcher {
  public:
    virtual ~SocketWatcher() = default;

    /// Told once per change (epoll(7), EPOLLET): what is not read or written until the call would block is
    /// not told of again.
    virtual void on_ready(Readiness readiness) = 0;
};

class Poller {
  public:
    /// Throws std::system_error where the process may not have one more descriptor.
    explicit Poller(boost::asio::io_context& context);

    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    /// From now on `watcher` hears of `socket`, until forget(). Returns 0 or the reason why not (errno).
    int watch(int socket, SocketWatcher& watcher);

    /// The watcher hears nothing any more, not even what has happened already. Call it when its socket is
    /// closed: closing ends the registration (epoll(7)).
    void forget(const SocketWatcher& watcher);

  private:
    static constexpr std::size_t max_events_per_turn = 128;

    void arm();
    void dispatch();

    boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type> epoll_;
    std::array<epoll_event, max_events_per_turn> events_{};
    std::size_t next_ = 0;  ///< the event to tell of next,
    std::size_t count_ = 0; ///< of so many
    std::size_t watched_ = 0;
    bool armed_ = false;
    bool dispatching_ = false;
    std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true); ///< for a handler under way
};

} // namespace docmap::net
