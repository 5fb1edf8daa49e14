#include "net/resolver.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <optional>
#include <sys/socket.h>
#include <system_error>

namespace docmap::net {
namespace {

std::optional<base::IpAddress> address_of(const addrinfo& entry) {
    if (entry.ai_family == AF_INET) {
        sockaddr_in socket_address{};
        std::memcpy(&socket_address, entry.ai_addr, sizeof socket_address);
        base::IpAddress::V4Bytes bytes{};
        std::memcpy(bytes.data(), &socket_address.sin_addr, bytes.size());
        return base::IpAddress::v4(bytes);
    }
    if (entry.ai_family == AF_INET6) {
        sockaddr_in6 socket_address{};
        std::memcpy(&socket_address, entry.ai_addr, sizeof socket_address);
        base::IpAddress::V6Bytes bytes{};
        std::memcpy(bytes.data(), &socket_address.sin6_addr, bytes.size());
        return base::IpAddress::v6(bytes);
    }
    return std::nullopt;
}

std::string reason_of(int status, int error_number) {
    if (status == EAI_SYSTEM) return std::generic_category().message(error_number);
    return gai_strerror(status);
}

} // namespace

ResolverAnswer look_up_with_system(const std::string& host) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_ADDRCONFIG;
    addrinfo* found = nullptr;
    const int status = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found);
    const int error_number = errno;
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> list(found, ::freeaddrinfo);

    ResolverAnswer answer;
    if (status != 0) {
        answer.error = "DNS lookup failed: " + host + ": " + reason_of(status, error_number);
        return answer;
    }
    for (const addrinfo* entry = list.get(); entry != nullptr; entry = entry->ai_next) {
        const std::optional<base::IpAddress> address = address_of(*entry);
        if (!address || std::ranges::find(answer.addresses, *address) != answer.addresses.end()) continue;
        answer.addresses.push_back(*address);
    }
    if (answer.addresses.empty()) answer.error = "DNS lookup failed: " + host + ": no address";
    return answer;
}

} // namespace docmap::net
