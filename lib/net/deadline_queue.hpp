// Things that wait for a point in time, the earliest first, linked through a hook inside them: one sweep
// finds all that are due. Adding is free where deadlines come in order, as they do when every timeout is the
// same. Lives on one thread; owns nothing: what is listed must leave the queue before it goes.
#pragma once

#include "base/time.hpp"

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/list_hook.hpp>

#include <cstddef>
#include <iterator>

namespace docmap::net {

/// A thing's place in one DeadlineQueue. `Tag` tells several places in the same thing apart.
template<typename Tag>
struct DeadlineHook
    : boost::intrusive::list_base_hook<boost::intrusive::tag<Tag>,
                                       boost::intrusive::link_mode<boost::intrusive::safe_link>> {
    base::SteadyTime due{};
};

template<typename T, typename Tag>
class DeadlineQueue {
  public:
    /// Lists `item` behind all that are due no later than `due`.
    void push(T& item, base::SteadyTime due) {
        hook(item).due = due;
        auto place = items_.end();
        while (place != items_.begin() && hook(*std::prev(place)).due > due)
            --place;
        items_.insert(place, item);
        ++size_;
    }

    /// Takes `item` out; does nothing where it is not listed.
    void remove(T& item) {
        if (!hook(item).is_linked()) return;
        items_.erase(items_.iterator_to(item));
        --size_;
    }

    /// Lists `item` in the place of `listed`, which leaves. Does not look for the place.
    void replace(T& listed, T& item) {
        hook(item).due = hook(listed).due;
        items_.insert(items_.erase(items_.iterator_to(listed)), item);
    }

    bool empty() const { return items_.empty(); }
    std::size_t size() const { return size_; }

    /// When `item`, which is listed, is due.
    base::SteadyTime due(const T& item) const { return hook(item).due; }

    /// The item due first. Only where there is one.
    T& front() { return items_.front(); }
    base::SteadyTime first_due() const { return hook(items_.front()).due; }

    /// Whether the first item is due at `now`.
    bool is_due(base::SteadyTime now) const { return !empty() && first_due() <= now; }

  private:
    using Hook = DeadlineHook<Tag>;

    static Hook& hook(T& item) { return item; }
    static const Hook& hook(const T& item) { return item; }

    boost::intrusive::list<T, boost::intrusive::base_hook<Hook>, boost::intrusive::constant_time_size<false>>
        items_;
    std::size_t size_ = 0;
};

} // namespace docmap::net
