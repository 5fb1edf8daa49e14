// The network as the daemon's wiring sees it: what all shards share, and a transport for each of them.
// One per process, made before the shards; outlives their transports. Stops by stop(), once the transports
// are gone and while the shards' io_contexts still exist.
#pragma once

#include "base/error.hpp"
#include "config/config.hpp"
#include "core/address_policy.hpp"
#include "net/connection_pool.hpp"
#include "net/resolver.hpp"
#include "net/tls_context.hpp"
#include "ports/transport.hpp"

#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <memory>

namespace docmap::net {

class Network {
  public:
    /// `shards`: how many transports will be made, between which limits are divided. The error names the key
    /// of the configuration that is wrong (`delivery.ca_file`, `delivery.allow_networks`).
    static base::Result<std::unique_ptr<Network>> create(const config::Delivery& config, std::size_t shards,
                                                         LookupFunction look_up = look_up_with_system);

    /// The transport of the shard whose thread runs `shard`; both arguments must outlive it.
    std::unique_ptr<ports::Transport> make_transport(boost::asio::io_context& shard,
                                                     ports::ExchangeListener& listener);

    /// Ends name resolution; waits at most a second for lookups that are under way.
    void stop() { resolver_.stop(); }

  private:
    Network(const config::Delivery& config, std::size_t shards, TlsContext tls, core::AddressPolicy policy,
            LookupFunction look_up);

    TlsContext tls_;
    core::AddressPolicy policy_;
    PoolSettings pool_settings_;
    Resolver resolver_;
};

} // namespace docmap::net
