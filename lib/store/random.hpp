// Randomness from the operating system's generator, through OpenSSL. Any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace docmap::store {

/// Fills `out` with random bytes fit for secrets. Throws where the generator fails.
void fill_random(std::span<unsigned char> out);

/// `prefix` and 12 random characters of `a-z0-9`.
std::string random_id(std::string_view prefix);

} // namespace docmap::store
