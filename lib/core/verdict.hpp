// What an attempt came to: success or not, and the line that its delivery record shows.
// Pure functions, usable on any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace docmap::core {

/// The `error` of a delivery record whose attempt ran into its deadline.
inline constexpr std::string_view timeout_error = "The operation was aborted due to timeout";

/// What an attempt says about its endpoint, apart from the one event.
enum class EndpointAnswer : std::uint8_t {
    healthy,    ///< it answers: any status but those below
    failing,    ///< it is down: no connection, no TLS, no valid response, or a 5xx status other than 503
    overloaded, ///< it cannot keep up: the deadline passed, or status 429 or 503
    unknown,    ///< nothing: the attempt was refused locally or cut off
};

struct Verdict {
    bool success = false;
    EndpointAnswer answer = EndpointAnswer::unknown;
    std::string error; ///< empty on success; else one readable line
};

/// `http_status`: 0 where no response headers came; `transport_error` then says why. A status outweighs an
/// error that came after it, such as a body cut short. Success is 2xx; redirects are not followed, so they
/// are failures. `blocked`: refused locally by the address policy.
Verdict judge(std::uint16_t http_status, std::string_view transport_error, bool blocked = false);

/// The reason phrase of a registered status (IANA HTTP Status Code Registry), else empty.
std::string_view reason_phrase(unsigned http_status);

} // namespace docmap::core
