// What the texts of the configuration must look like. Pure: no file is opened and no name resolved.
#pragma once

#include "base/error.hpp"
#include "config/readers.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace docmap::config {

extern const TextRule a_broker_list;
extern const TextRule a_group_id;
extern const TextRule a_topic;
extern const TextRule a_postgres_url; ///< never repeats the text, which may hold a password
extern const TextRule a_network;
extern const TextRule a_file; ///< whether it can be read is checked when all keys are known
extern const TextRule a_listen_address;

struct ListenAddress {
    std::string address; ///< IPv6 without brackets
    std::uint16_t port = 0;
};

/// Takes `127.0.0.1:8080` or `[::]:8080` apart.
base::Result<ListenAddress> parse_listen_address(std::string_view text);

} // namespace docmap::config
