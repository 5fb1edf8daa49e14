#include "api/authenticator.hpp"

#include "core/api_token.hpp"
#include "core/sha256.hpp"

#include <boost/algorithm/string/predicate.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace docmap::api {

namespace {

constexpr std::size_t max_key_characters = 128;

bool is_key_character(char character) {
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
           (character >= '0' && character <= '9') || character == '_';
}

} // namespace

std::optional<std::string_view> api_key_in(std::string_view authorization) {
    constexpr std::string_view scheme = "Bearer ";
    if (!boost::istarts_with(authorization, scheme)) return std::nullopt;
    std::string_view key = authorization.substr(scheme.size());
    key.remove_prefix(std::min(key.find_first_not_of(' '), key.size()));
    if (!key.starts_with(core::api_key_prefix) || key.size() > max_key_characters ||
        !std::ranges::all_of(key, is_key_character))
        return std::nullopt;
    return key;
}

boost::asio::awaitable<ApiResult<std::string>> Authenticator::authenticate(std::string authorization) {
    const std::optional<std::string_view> key = api_key_in(authorization);
    if (!key) co_return unauthorized();
    const core::Sha256Digest hash = core::sha256(*key);
    ports::RepositoryResult<std::string> user = co_await api_keys_.find_user(hash);
    if (user) co_return std::move(*user);
    if (user.error() == ports::RepositoryError::unavailable) co_return unavailable();
    co_return unauthorized();
}

} // namespace docmap::api
