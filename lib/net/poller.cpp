#include "net/poller.hpp"

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace docmap::net {
namespace {

int make_epoll() {
    const int descriptor = ::epoll_create1(EPOLL_CLOEXEC);
    if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    return descriptor;
}

Readiness readiness_of(std::uint32_t events) {
    const bool broken = (events & (EPOLLHUP | EPOLLERR)) != 0;
    const bool ended = broken || (events & EPOLLRDHUP) != 0;
    return {ended || (events & EPOLLIN) != 0, broken || (events & EPOLLOUT) != 0, ended};
}

} // namespace

Poller::Poller(boost::asio::io_context& context) : epoll_(context, make_epoll()) {}

int Poller::watch(int socket, SocketWatcher& watcher) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &watcher;
    if (::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, socket, &event) != 0) return errno;
    ++watched_;
    arm();
    return 0;
}

void Poller::forget(const SocketWatcher& watcher) {
    for (std::size_t index = next_; index < count_; ++index)
        if (events_[index].data.ptr == &watcher) events_[index].data.ptr = nullptr;
    // Without sockets the io_context has nothing to wait for here.
    if (--watched_ == 0 && armed_) epoll_.cancel();
}

void Poller::arm() {
    if (armed_ || dispatching_ || watched_ == 0) return;
    armed_ = true;
    epoll_.async_wait(
        boost::asio::posix::descriptor_base::wait_read,
        [this, alive = std::weak_ptr<const bool>(alive_)](const boost::system::error_code& cancelled) {
            if (alive.expired()) return;
            armed_ = false;
            if (!cancelled) dispatch();
            arm();
        });
}

void Poller::dispatch() {
    dispatching_ = true;
    const int ready = ::epoll_wait(epoll_.native_handle(), events_.data(), max_events_per_turn, 0);
    count_ = ready > 0 ? static_cast<std::size_t>(ready) : 0; // interrupted: the next turn comes at once
    for (next_ = 0; next_ < count_;) {
        const epoll_event event = events_[next_++];
        if (event.data.ptr == nullptr) continue;
        static_cast<SocketWatcher*>(event.data.ptr)->on_ready(readiness_of(event.events));
    }
    next_ = count_ = 0;
    dispatching_ = false;
}

} // namespace docmap::net
