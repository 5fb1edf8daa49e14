#include "daemon/subscription_changes.hpp"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <utility>

namespace docmap::daemon {

boost::asio::awaitable<void> SubscriptionChanges::webhook_changed(std::string user_id, std::string webhook_id,
                                                                  bool removed) {
    auto initiate = [this, &user_id, &webhook_id, removed](auto handler) {
        // std::function wants a copyable callable; the handler is not.
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        auto executor = boost::asio::prefer(boost::asio::get_associated_executor(*shared),
                                            boost::asio::execution::outstanding_work.tracked);
        const auto resume = [shared, executor] {
            boost::asio::post(executor, [shared] { std::move (*shared)(); });
        };
        control_.post([this, user_id, webhook_id, removed, resume] {
            pipeline_.change_webhook(user_id, webhook_id, removed, resume);
        });
    };
    co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
        std::move(initiate), boost::asio::use_awaitable);
}

} // namespace docmap::daemon
