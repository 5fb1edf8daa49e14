#include "net/address_turns.hpp"

#include <cerrno>

namespace docmap::net {
namespace {

/// The address could not even be tried from here, as with IPv6 on a machine that has none.
bool has_no_route(int error_number) {
    return error_number == ENETUNREACH || error_number == EHOSTUNREACH || error_number == EADDRNOTAVAIL ||
           error_number == EAFNOSUPPORT;
}

} // namespace

const base::IpAddress* AddressTurns::next() {
    if (next_ == addresses_.size()) return nullptr;
    return &addresses_[next_++];
}

base::SteadyTime AddressTurns::turn_ends(base::SteadyTime now) const {
    if (is_last() || now >= deadline_) return deadline_;
    const auto turns_left = static_cast<base::SteadyTime::duration::rep>(addresses_.size() - next_ + 1);
    return now + (deadline_ - now) / turns_left;
}

void AddressTurns::failed(int error_number) {
    if (error_number_ == 0 || (has_no_route(error_number_) && !has_no_route(error_number)))
        error_number_ = error_number;
}

} // namespace docmap::net
