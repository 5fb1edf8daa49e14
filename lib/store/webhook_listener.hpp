// Hears of changed webhooks through LISTEN, whoever changed them, and passes them on to the control thread.
// Owned by the store. Has a thread and a connection of its own; sleeps until something arrives. stop() wakes
// it and joins.
#pragma once

#include "base/error.hpp"
#include "ports/subscriptions.hpp"
#include "store/connection_keeper.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace docmap::store {

/// What a notification says. No user: any webhook may have changed, unless it is about the queue.
struct WebhookChange {
    std::string user_id;
    std::string webhook_id;
    bool removed = false;
    bool queue = false; ///< `{"queue": true}`: not a webhook changed, but the delivery queue
};

/// Reads a notification's JSON; a payload that cannot be read means that anything may have changed.
WebhookChange parse_webhook_change(std::string_view payload);

class WebhookListener {
  public:
    WebhookListener(base::Result<std::string> parameters, DatabaseHealth& health,
                    boost::asio::any_io_executor control);
    ~WebhookListener();
    WebhookListener(const WebhookListener&) = delete;
    WebhookListener& operator=(const WebhookListener&) = delete;

    /// Starts the thread. `listener` gets every call on the control thread and must outlive what runs there;
    /// on_changes_missed() comes after each connection is made, the first too. Call once.
    void start(ports::SubscriptionListener& listener);

    /// Wakes the thread and joins it; nothing is posted afterwards. May be called twice.
    void stop();

  private:
    void run();
    void listen(Connection& connection);
    void pass_on(std::string_view payload);
    void post_changes_missed();

    /// Sleeps until the descriptor can be read, stop() is called, or the time is over. False once stopping.
    bool wait(int readable_descriptor, std::chrono::milliseconds timeout) const;

    ConnectionKeeper keeper_;
    boost::asio::any_io_executor control_;
    ports::SubscriptionListener* listener_ = nullptr;
    int wake_descriptor_; ///< an eventfd, written once by stop()
    std::thread thread_;
};

} // namespace docmap::store
