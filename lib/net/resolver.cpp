#include "net/resolver.hpp"

#include "base/time.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <iterator>
#include <list>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

namespace docmap::net {
namespace {

using Clock = base::SteadyTime::clock;

struct Waiter {
    boost::asio::io_context* context;
    PendingLookupPtr pending;
};

ResolverAnswerPtr failure(const std::string& host, const char* reason) {
    return std::make_shared<const ResolverAnswer>(
        ResolverAnswer{{}, "DNS lookup failed: " + host + ": " + reason});
}

void post_answer(const Waiter& waiter, ResolverAnswerPtr answer) {
    boost::asio::post(*waiter.context,
                      [pending = waiter.pending, answer = std::move(answer)] { pending->answer(*answer); });
}

} // namespace

void PendingLookup::answer(const ResolverAnswer& answer) {
    if (const auto on_answer = std::exchange(on_answer_, nullptr)) on_answer(answer);
}

struct Resolver::State {
    struct Host {
        ResolverAnswerPtr answer; ///< the last one, null before the first
        base::SteadyTime fresh_until{};
        bool slow = false;    ///< the last lookup took long
        bool pending = false; ///< queued or being looked up
        std::vector<Waiter> waiters;
        std::list<std::string>::iterator age; ///< its place in `remembered`, while not pending
    };

    ResolverSettings settings;
    LookupFunction look_up;

    std::mutex mutex;
    std::condition_variable work;
    std::condition_variable thread_ended;
    std::unordered_map<std::string, Host> hosts;
    std::list<std::string> remembered; ///< hosts that are not pending, the longest known first
    /// Hosts to look up. Slow ones have their own queue and at most half of the threads, so that names whose
    /// servers do not answer cannot hold up all the others.
    std::deque<std::string> queue;
    std::deque<std::string> slow_queue;
    std::size_t slow_running = 0;
    std::size_t threads_running = 0;
    std::vector<std::thread> threads;
    bool stopping = false;

    bool may_run_slow() const { return slow_running < std::max<std::size_t>(1, settings.threads / 2); }
    bool has_work() const { return !queue.empty() || (!slow_queue.empty() && may_run_slow()); }

    /// Makes room for one more host. False where every one that is known is pending.
    bool make_room() {
        if (hosts.size() < settings.max_hosts) return true;
        if (remembered.empty()) return false;
        hosts.erase(remembered.front());
        remembered.pop_front();
        return true;
    }

    void enqueue(const std::string& name, Host& host) {
        if (host.answer) remembered.erase(host.age);
        host.pending = true;
        (host.slow ? slow_queue : queue).push_back(name);
        work.notify_one();
    }

    void finish(const std::string& name, ResolverAnswerPtr answer, Clock::duration took) {
        Host& host = hosts.at(name);
        host.answer = std::move(answer);
        host.fresh_until = Clock::now() + settings.cache_ttl;
        host.slow = took >= settings.slow_after;
        host.pending = false;
        host.age = remembered.insert(remembered.end(), name);
        for (const Waiter& waiter : std::exchange(host.waiters, {}))
            post_answer(waiter, host.answer);
    }

    ResolverAnswerPtr look_up_now(const std::string& name) const {
        try {
            return std::make_shared<const ResolverAnswer>(look_up(name));
        } catch (const std::exception& error) {
            return failure(name, error.what());
        }
    }

    void run() {
        std::unique_lock lock(mutex);
        while (true) {
            work.wait(lock, [this] { return stopping || has_work(); });
            if (stopping) break;
            const bool slow = queue.empty();
            std::deque<std::string>& source = slow ? slow_queue : queue;
            const std::string name = std::move(source.front());
            source.pop_front();
            slow_running += slow ? 1 : 0;

            lock.unlock();
            const base::SteadyTime started = Clock::now();
            ResolverAnswerPtr answer = look_up_now(name);
            lock.lock();

            slow_running -= slow ? 1 : 0;
            if (stopping) break;
            finish(name, std::move(answer), Clock::now() - started);
            if (slow) work.notify_one();
        }
        --threads_running;
        thread_ended.notify_all();
    }
};

Resolver::Resolver(ResolverSettings settings, LookupFunction look_up) : state_(std::make_shared<State>()) {
    state_->settings = settings;
    state_->look_up = std::move(look_up);
    const std::lock_guard lock(state_->mutex);
    for (std::size_t i = 0; i < settings.threads; ++i) {
        state_->threads.emplace_back([state = state_] { state->run(); });
        ++state_->threads_running;
    }
}

Resolver::~Resolver() {
    stop();
}

ResolverAnswerPtr Resolver::find(const std::string& host) {
    if (const auto address = base::IpAddress::from_string(host))
        return std::make_shared<const ResolverAnswer>(ResolverAnswer{{*address}, {}});

    const std::lock_guard lock(state_->mutex);
    const auto found = state_->hosts.find(host);
    if (found == state_->hosts.end() || found->second.fresh_until <= Clock::now()) return nullptr;
    return found->second.answer;
}

PendingLookupPtr Resolver::ask(const std::string& host, boost::asio::io_context& context,
                               std::function<void(const ResolverAnswer&)> on_answer) {
    auto pending = std::make_shared<PendingLookup>(std::move(on_answer));
    const std::lock_guard lock(state_->mutex);
    if (state_->stopping) return pending;
    const auto known = state_->hosts.find(host);
    if (known == state_->hosts.end() && !state_->make_room()) {
        post_answer({&context, pending}, failure(host, "too many lookups are under way"));
        return pending;
    }
    State::Host& entry = known == state_->hosts.end() ? state_->hosts[host] : known->second;
    entry.waiters.push_back({&context, pending});
    if (!entry.pending) state_->enqueue(host, entry);
    return pending;
}

void Resolver::stop() {
    std::vector<std::thread> threads;
    std::unique_lock lock(state_->mutex);
    state_->stopping = true;
    for (auto& [name, host] : state_->hosts)
        host.waiters.clear();
    state_->work.notify_all();
    state_->thread_ended.wait_for(lock, state_->settings.stop_patience,
                                  [this] { return state_->threads_running == 0; });
    threads.swap(state_->threads);
    const bool all_ended = state_->threads_running == 0;
    lock.unlock();
    for (std::thread& thread : threads) {
        if (all_ended)
            thread.join();
        else
            thread.detach(); // inside a lookup that ends when the system gives up; its share of the state
                             // keeps it safe
    }
}

} // namespace docmap::net
