// Reading the small files that a configuration names, and what they must hold. Blocking; start-up only.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace docmap::config {

/// Configuration files, certificates and keys are far smaller.
inline constexpr std::size_t max_file_bytes = 8 * 1024 * 1024;

/// The whole file. The error does not name it: `cannot be read: Permission denied`.
base::Result<std::string> read_file(const std::filesystem::path& path);

/// Why the file does not hold at least one readable PEM certificate; nothing where it does.
std::optional<std::string> check_certificates(const std::filesystem::path& path);

/// Why the file does not hold an unencrypted PEM private key that belongs to the first certificate in
/// `certificate_path`; nothing where it does. An unreadable certificate is not this function's to report.
std::optional<std::string> check_private_key(const std::filesystem::path& path,
                                             const std::filesystem::path& certificate_path);

} // namespace docmap::config
