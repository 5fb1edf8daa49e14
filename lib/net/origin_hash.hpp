// Origins as keys of hash tables.
#pragma once

#include "core/webhook.hpp"

#include <cstddef>
#include <functional>
#include <string_view>

namespace docmap::net {

struct OriginHash {
    std::size_t operator()(const core::Origin& origin) const noexcept {
        const std::size_t port_and_scheme = std::size_t{origin.port} * 2 + (origin.https ? 1 : 0);
        return std::hash<std::string_view>{}(origin.host) ^ (port_and_scheme * 0x9e3779b97f4a7c15ULL);
    }
};

} // namespace docmap::net
