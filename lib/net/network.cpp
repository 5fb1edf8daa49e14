#include "net/network.hpp"

#include "net/http_transport.hpp"

#include <algorithm>
#include <utility>

namespace docmap::net {
namespace {

ResolverSettings resolver_settings(const config::Delivery& config) {
    ResolverSettings settings;
    settings.threads = config.dns_threads;
    settings.cache_ttl = config.dns_cache_ttl;
    return settings;
}

} // namespace

base::Result<std::unique_ptr<Network>> Network::create(const config::Delivery& config, std::size_t shards,
                                                       LookupFunction look_up) {
    base::Result<TlsContext> tls = TlsContext::create(config.ca_file);
    if (!tls) return tls.error();
    base::Result<core::AddressPolicy> policy = core::AddressPolicy::from_cidrs(config.allow_networks);
    if (!policy) return base::Error{"delivery.allow_networks: " + policy.error().message};
    return std::unique_ptr<Network>(
        new Network(config, shards, std::move(*tls), std::move(*policy), std::move(look_up)));
}

Network::Network(const config::Delivery& config, std::size_t shards, TlsContext tls,
                 core::AddressPolicy policy, LookupFunction look_up)
    : tls_(std::move(tls)),
      policy_(std::move(policy)), pool_settings_{std::max<std::size_t>(1,
                                                                       config.max_idle_connections / shards),
                                                 config.idle_timeout, config.max_opening_connections,
                                                 config.connection_wait},
      resolver_(resolver_settings(config), std::move(look_up)) {}

std::unique_ptr<ports::Transport> Network::make_transport(boost::asio::io_context& shard,
                                                          ports::ExchangeListener& listener) {
    return std::make_unique<HttpTransport>(pool_settings_, shard, tls_, policy_, resolver_, listener);
}

} // namespace docmap::net
