// Webhook URLs: which ones are accepted, and what a delivery needs of them. Pure: nothing is resolved here.
#pragma once

#include "base/error.hpp"
#include "core/webhook.hpp"

#include <cstddef>
#include <string_view>

namespace docmap::core {

inline constexpr std::size_t max_webhook_url_characters = 2048;

/// Takes an absolute `https` URL (RFC 3986) apart; `http` too where `allow_http` is set. The host comes out
/// in lower case, an IPv6 address in its shortest form. The error says which rule the URL breaks; it never
/// repeats user information.
base::Result<WebhookUrl> parse_webhook_url(std::string_view text, bool allow_http);

} // namespace docmap::core
