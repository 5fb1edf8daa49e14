// Statements about the instances that are alive, and the claims of those that are not. Each function is one
// job on a pool's thread; used by PostgresDeliveryQueue.
#pragma once

#include "store/connection.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace docmap::store {

/// Extends an instance's life; false where it is not among the living.
bool extend_life(Connection& connection, const std::string& id, std::chrono::milliseconds lease);

/// Adds an instance to the living.
void enter_instance(Connection& connection, const std::string& id, std::chrono::milliseconds lease);

/// Removes the instances whose time is over, and frees all that no living instance has claimed.
void free_dead_claims(Connection& connection);

/// Frees what `id` has claimed beside `known`: claims whose answer was lost.
void free_lost_claims(Connection& connection, const std::string& id, const std::vector<std::string>& known);

/// Frees what `id` has claimed, and removes it from the living.
void leave_instances(Connection& connection, const std::string& id);

} // namespace docmap::store
