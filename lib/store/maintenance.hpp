// What the database needs from time to time: partitions of `deliveries` made ahead and dropped by age,
// webhooks that do nothing but fail deactivated. One instance at a time does it. Owned by the store. Has a
// thread of its own, and a connection while it works. stop() ends both.
#pragma once

#include "base/error.hpp"
#include "base/metrics.hpp"
#include "store/connection.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <thread>

namespace docmap::store {

class Maintenance {
  public:
    struct Settings {
        base::Result<std::string> parameters; ///< as made by connection_parameters()
        std::size_t retention_days = 30;
        std::chrono::milliseconds deactivate_after = std::chrono::hours{5 * 24};
    };

    /// `metrics` must outlive this.
    Maintenance(Settings settings, base::Metrics& metrics);
    ~Maintenance();
    Maintenance(const Maintenance&) = delete;
    Maintenance& operator=(const Maintenance&) = delete;

    /// Starts the thread, which works at once and then every few minutes. Call once.
    void start();

    /// Breaks off what is under way and joins. What was begun is done in the next round. May be called twice.
    void stop();

    /// One round: nothing where another instance is at it, or where the schema does not fit. Blocks; any
    /// thread. Throws what libpqxx throws.
    void run_once();

  private:
    void run();
    bool work();
    void work_over(Connection& connection);

    Settings settings_;
    base::Metrics& metrics_;
    std::mutex mutex_; ///< guards what follows
    std::condition_variable woken_;
    bool stopping_ = false;
    Connection* connection_ = nullptr; ///< while a round is under way
    std::string logged_reason_;        ///< of the last failure; used by the thread alone
    std::thread thread_;
};

} // namespace docmap::store
