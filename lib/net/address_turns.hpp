// The addresses of one host, tried one after the other: which is next, how long it may take, and which
// failure to report in the end. Pure; owned by the connection that is being made.
#pragma once

#include "base/ip_address.hpp"
#include "base/time.hpp"

#include <cstddef>
#include <vector>

namespace docmap::net {

class AddressTurns {
  public:
    /// None to try.
    AddressTurns() = default;

    /// All have to be tried before `deadline`.
    AddressTurns(std::vector<base::IpAddress> addresses, base::SteadyTime deadline)
        : addresses_(std::move(addresses)), deadline_(deadline) {}

    /// The next address, or null where none is left.
    const base::IpAddress* next();

    /// How long the address handed out last may take: its fair share of the time left, so that one that does
    /// not answer leaves some to the others.
    base::SteadyTime turn_ends(base::SteadyTime now) const;

    bool is_last() const { return next_ >= addresses_.size(); }

    /// The address handed out last failed, for the reason `error_number`.
    void failed(int error_number);

    /// The failure to report: of an address that was reached before one to which there is no route.
    int error_number() const { return error_number_; }

  private:
    std::vector<base::IpAddress> addresses_;
    base::SteadyTime deadline_{};
    std::size_t next_ = 0;
    int error_number_ = 0;
};

} // namespace docmap::net
