// A test's database behind a gate: settings whose connections can be cut.
#pragma once

#include "tcp_gate.hpp"
#include "test_database.hpp"

#include <libpq-fe.h>
#include <memory>
#include <string>

namespace docmap::test {

/// A gate to the cluster, and settings that go through it.
class GatedDatabase {
  public:
    GatedDatabase() {
        std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(
            PQconninfoParse(database_.url().c_str(), nullptr), &PQconninfoFree);
        std::string host;
        std::string port;
        settings_ = database_.settings();
        settings_.url.clear();
        for (const auto* option = parsed.get(); option->keyword != nullptr; ++option) {
            if (option->val == nullptr) continue;
            const std::string key = option->keyword;
            if (key == "host")
                host = option->val;
            else if (key == "port")
                port = option->val;
            else
                settings_.url += key + "='" + option->val + "' ";
        }
        gate_ = std::make_unique<TcpGate>(host, port);
        settings_.url += "host=127.0.0.1 port=" + std::to_string(gate_->port());
    }
    const TestDatabase& direct() const { return database_; }
    TcpGate& gate() { return *gate_; }
    config::Postgres& settings() { return settings_; }

  private:
    TestDatabase database_{Schema::current};
    std::unique_ptr<TcpGate> gate_;
    config::Postgres settings_;
};

} // namespace docmap::test
