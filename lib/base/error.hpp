// Errors as values: what an expected failure looks like, and the result type that carries it.
#pragma once

#include <boost/system/result.hpp>

#include <stdexcept>
#include <string>
#include <utility>

namespace docmap::base {

/// One readable line that names the thing, the value, the rule and the way out. Never holds a secret.
struct Error {
    std::string message;
};

/// A value, or the reason why there is none. `value()` on a failed result throws std::runtime_error.
template<typename T>
using Result = boost::system::result<T, Error>;

/// A successful result. Needed for texts, which could be meant as an error just as well.
inline Result<std::string> success(std::string text) {
    return {boost::system::in_place_value, std::move(text)};
}

[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) {
    throw std::runtime_error(error.message);
}

} // namespace docmap::base
