// What the API works on, kept in memory: stands in for the database at the ports. Each answers on the
// executor that awaits it; a test thread may look inside at any time.
#pragma once

#include "core/sha256.hpp"
#include "ports/repositories.hpp"

#include <boost/asio/awaitable.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace docmap::test {

namespace asio = boost::asio;

/// How calls of a double end early, where a test wants it.
struct Trouble {
    std::optional<ports::RepositoryError> error;
    bool throws = false;
};

class InMemoryKeys final : public ports::ApiKeyRepository {
  public:
    Trouble trouble; ///< set before requests come

    void add(const std::string& key, const std::string& user_id) {
        const std::lock_guard lock(mutex_);
        users_[core::sha256(key)] = user_id;
    }

    ports::RepositoryAwaitable<std::string> find_user(std::array<unsigned char, 32> key_hash) override {
        if (trouble.throws) throw std::runtime_error("keys: secret detail");
        if (trouble.error) co_return *trouble.error;
        const std::lock_guard lock(mutex_);
        ++lookups_;
        const auto found = users_.find(key_hash);
        if (found == users_.end()) co_return ports::RepositoryError::not_found;
        co_return found->second;
    }

    int lookups() const {
        const std::lock_guard lock(mutex_);
        return lookups_;
    }

  private:
    mutable std::mutex mutex_;
    std::map<core::Sha256Digest, std::string> users_;
    int lookups_ = 0;
};

class InMemoryWebhooks final : public ports::WebhookRepository {
  public:
    Trouble trouble;                                ///< set before requests come
    std::function<asio::awaitable<void>()> on_list; ///< awaited before a listing is answered

    ports::RepositoryAwaitable<ports::WebhookView> create(ports::NewWebhook webhook) override {
        if (trouble.throws) throw std::runtime_error("webhooks: secret detail");
        if (trouble.error) co_return *trouble.error;
        const std::lock_guard lock(mutex_);
        const auto owned = std::ranges::count_if(
            rows_, [&](const auto& row) { return row.active && row.user_id == webhook.user_id; });
        if (owned >= 10) co_return ports::RepositoryError::limit_reached;
        const std::string number = std::to_string(rows_.size() + 1);
        ports::WebhookView view;
        view.id = "webhook-" + std::string(12 - number.size(), '0') + number;
        view.user_id = webhook.user_id;
        view.url = webhook.url;
        view.events = webhook.events;
        view.created_at = base::SystemTime(std::chrono::milliseconds(1'736'935'200'000));
        rows_.insert(rows_.begin(), view);
        secrets_.push_back(webhook.secret.text);
        co_return view;
    }

    ports::RepositoryAwaitable<std::vector<ports::WebhookView>> list(std::string user_id,
                                                                     bool active) override {
        if (on_list) co_await on_list();
        if (trouble.error) co_return *trouble.error;
        const std::lock_guard lock(mutex_);
        std::vector<ports::WebhookView> found;
        for (const ports::WebhookView& row : rows_)
            if (row.user_id == user_id && row.active == active) found.push_back(row);
        co_return found;
    }

    ports::RepositoryAwaitable<void> remove(std::string user_id, std::string webhook_id) override {
        if (trouble.error) co_return *trouble.error;
        const std::lock_guard lock(mutex_);
        const auto row = std::ranges::find(rows_, webhook_id, &ports::WebhookView::id);
        if (row == rows_.end()) co_return ports::RepositoryError::not_found;
        if (row->user_id != user_id) co_return ports::RepositoryError::forbidden;
        rows_.erase(row);
        co_return ports::RepositoryResult<void>();
    }

    void add(ports::WebhookView row) {
        const std::lock_guard lock(mutex_);
        rows_.insert(rows_.begin(), std::move(row));
    }

    std::vector<std::string> secrets() const {
        const std::lock_guard lock(mutex_);
        return secrets_;
    }

  private:
    mutable std::mutex mutex_;
    std::vector<ports::WebhookView> rows_; ///< newest first
    std::vector<std::string> secrets_;
};

class InMemoryDeliveries final : public ports::DeliveryRepository {
  public:
    /// Newest first; set before requests come.
    std::vector<ports::DeliveryView> rows;

    ports::RepositoryAwaitable<std::vector<ports::DeliveryView>> list(ports::DeliveryFilter filter) override {
        std::vector<ports::DeliveryView> found;
        for (const ports::DeliveryView& row : rows) {
            if (row.user_id != filter.user_id) continue;
            if (filter.webhook_id && row.webhook_id != *filter.webhook_id) continue;
            if (filter.extraction_id && row.extraction_id != *filter.extraction_id) continue;
            if (filter.event && row.event != *filter.event) continue;
            if (filter.success && row.success != *filter.success) continue;
            if (filter.after && std::pair(row.created_at, row.id) >= *filter.after) continue;
            if (found.size() < filter.limit) found.push_back(row);
        }
        co_return found;
    }
};

class RecordedChanges final : public ports::SubscriptionChanges {
  public:
    using Change = std::tuple<std::string, std::string, bool>; ///< user, webhook, removed

    asio::awaitable<void> webhook_changed(std::string user_id, std::string webhook_id,
                                          bool removed) override {
        const std::lock_guard lock(mutex_);
        changes_.emplace_back(std::move(user_id), std::move(webhook_id), removed);
        co_return;
    }

    std::vector<Change> changes() const {
        const std::lock_guard lock(mutex_);
        return changes_;
    }

  private:
    mutable std::mutex mutex_;
    std::vector<Change> changes_;
};

} // namespace docmap::test
