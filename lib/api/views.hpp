// Webhooks and deliveries as JSON, fields and order as on the API's reference pages. Pure.
#pragma once

#include "ports/repositories.hpp"

#include <boost/json/object.hpp>

namespace docmap::api {

boost::json::object to_json(const ports::WebhookView& webhook);
boost::json::object to_json(const ports::DeliveryView& delivery);

} // namespace docmap::api
