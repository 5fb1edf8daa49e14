#include "store/webhook_listener.hpp"

#include "base/invariant.hpp"

#include <boost/asio/post.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace docmap::store {

namespace {

constexpr const char* channel_name = "docmap_webhooks";
/// A peer that is gone without a word is noticed by a round trip this often.
constexpr std::chrono::seconds round_trip_interval{10};

} // namespace

WebhookChange parse_webhook_change(std::string_view payload) {
    boost::system::error_code error;
    const boost::json::value parsed = boost::json::parse({payload.data(), payload.size()}, error);
    if (error || !parsed.is_object()) return {};
    const boost::json::object& object = parsed.get_object();
    if (const auto* queue = object.if_contains("queue"); queue != nullptr && *queue == true)
        return {{}, {}, false, true};
    const auto* user_id = object.if_contains("userId");
    const auto* webhook_id = object.if_contains("webhookId");
    const auto* removed = object.if_contains("removed");
    if (user_id == nullptr || !user_id->is_string() || webhook_id == nullptr || !webhook_id->is_string() ||
        removed == nullptr || !removed->is_bool())
        return {};
    return {std::string(user_id->get_string()), std::string(webhook_id->get_string()), removed->get_bool(),
            false};
}

WebhookListener::WebhookListener(base::Result<std::string> parameters, DatabaseHealth& health,
                                 boost::asio::any_io_executor control)
    : keeper_(std::move(parameters), health, "listener"), control_(std::move(control)),
      wake_descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    base::require(wake_descriptor_ >= 0, "an eventfd can be made");
}

WebhookListener::~WebhookListener() {
    stop();
    ::close(wake_descriptor_);
}

void WebhookListener::start(ports::SubscriptionListener& listener) {
    listener_ = &listener;
    thread_ = std::thread([this] { run(); });
}

void WebhookListener::stop() {
    const std::uint64_t one = 1;
    const auto written = ::write(wake_descriptor_, &one, sizeof one);
    base::require(written == sizeof one, "an eventfd can be written");
    keeper_.break_off();
    if (thread_.joinable()) thread_.join();
}

void WebhookListener::run() {
    while (wait(-1, keeper_.pause())) {
        if (!keeper_.open()) {
            if (!wait(-1, std::chrono::milliseconds{0})) return; // it was broken off
            post_changes_missed();                               // for as long as nothing can be heard
            continue;
        }
        try {
            listen(*keeper_.current());
            return;
        } catch (const std::exception& failure) {
            keeper_.lose(reason_of_loss(failure, *keeper_.current()).value_or(describe(failure)));
        }
    }
}

void WebhookListener::listen(Connection& connection) {
    const compat::Channel channel(connection.native(), channel_name,
                                  [this](const std::string& payload) { pass_on(payload); });
    // After LISTEN, so that what is loaded from now on is followed by the notification of any change to it.
    post_changes_missed();
    while (true) {
        const auto next_round_trip = std::chrono::steady_clock::now() + round_trip_interval;
        while (std::chrono::steady_clock::now() < next_round_trip) {
            if (!wait(connection.native().sock(), round_trip_interval)) return;
            connection.native().get_notifs();
        }
        pqxx::nontransaction(connection.native()).exec("SELECT 1");
    }
}

void WebhookListener::pass_on(std::string_view payload) {
    WebhookChange change = parse_webhook_change(payload);
    if (change.queue) {
        boost::asio::post(control_, [listener = listener_] { listener->on_queue_changed(); });
        return;
    }
    if (change.user_id.empty()) {
        post_changes_missed();
        return;
    }
    boost::asio::post(control_, [listener = listener_, change = std::move(change)] {
        listener->on_webhook_changed(change.user_id, change.webhook_id, change.removed);
    });
}

void WebhookListener::post_changes_missed() {
    boost::asio::post(control_, [listener = listener_] { listener->on_changes_missed(); });
}

bool WebhookListener::wait(int readable_descriptor, std::chrono::milliseconds timeout) const {
    // poll() passes over a negative descriptor.
    std::array<pollfd, 2> entries = {
        {{wake_descriptor_, POLLIN, 0}, {readable_descriptor, static_cast<short>(POLLIN | POLLRDHUP), 0}}};
    ::poll(entries.data(), entries.size(), static_cast<int>(timeout.count()));
    return entries[0].revents == 0;
}

} // namespace docmap::store
