#include "core/api_token.hpp"

#include "base/hex.hpp"

namespace docmap::core {

std::string make_api_key(const std::array<unsigned char, 32>& random) {
    return std::string(api_key_prefix) + base::to_hex(random);
}

bool is_api_key(std::string_view text) {
    return text.size() == api_key_prefix.size() + 64 && text.starts_with(api_key_prefix) &&
           base::is_lower_hex(text.substr(api_key_prefix.size()));
}

} // namespace docmap::core
