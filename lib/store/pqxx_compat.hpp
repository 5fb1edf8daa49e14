// The differences between libpqxx 6.4 (Debian 12) and 7.10 (Debian 13), and nothing else.
// Everything of libpqxx that the store uses beyond this is the same in both.
#pragma once

#include <pqxx/connection>
#include <pqxx/except>
#include <pqxx/nontransaction>
#include <pqxx/result>
#include <pqxx/transaction>
#if PQXX_VERSION_MAJOR < 7
#include <pqxx/notification>
#else
#include <pqxx/params>
#include <pqxx/prepared_statement>
#endif

#include <functional>
#include <string>
#include <utility>

namespace docmap::store::compat {

/// 6.4 reopens a lost connection behind the caller's back, which would lose notifications and open
/// transactions unseen. After this call it does not, as in 7.
inline void forbid_silent_reconnect([[maybe_unused]] pqxx::connection& connection) {
#if PQXX_VERSION_MAJOR < 7
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
    connection.inhibit_reactivation(true);
#pragma GCC diagnostic pop
#endif
}

/// Runs a prepared statement. Null is a `const char*` without a target.
template<typename... Arguments>
pqxx::result execute_prepared(pqxx::transaction_base& transaction, const char* name,
                              const Arguments&... arguments) {
#if PQXX_VERSION_MAJOR < 7
    return transaction.exec_prepared(name, arguments...);
#else
    return transaction.exec(pqxx::prepped{name}, pqxx::params{arguments...});
#endif
}

/// Listens on a channel for as long as it lives, which must be shorter than the connection's life. `handler`
/// gets each notification's payload, inside `get_notifs()`.
class Channel {
  public:
    using Handler = std::function<void(std::string)>;

#if PQXX_VERSION_MAJOR < 7
    Channel(pqxx::connection& connection, const std::string& name, Handler handler)
        : receiver_(connection, name, std::move(handler)) {}

  private:
    struct Receiver final : pqxx::notification_receiver {
        Receiver(pqxx::connection& connection, const std::string& name, Handler on_payload)
            : notification_receiver(connection, name), handler(std::move(on_payload)) {}
        void operator()(const std::string& payload, int) override { handler(payload); }
        Handler handler;
    };
    Receiver receiver_;
#else
    Channel(pqxx::connection& connection, const std::string& name, Handler handler) {
        connection.listen(name, [handler = std::move(handler)](pqxx::notification notification) {
            handler(std::string(notification.payload));
        });
    }
#endif
};

} // namespace docmap::store::compat
