#include "config/master_key.hpp"
#include "daemon/commands.hpp"
#include "kafka/reachable.hpp"
#include "net/network.hpp"
#include "store/migrations.hpp"

#include <iostream>
#include <string>

namespace docmap::daemon {

namespace {

/// Prints one line per part that was looked at, and counts what is wrong.
class Findings {
  public:
    void good(const std::string& part) { std::cout << part << ": ok\n"; }
    void bad(const std::string& part, const std::string& problem) {
        std::cout << part << ": " << problem << '\n';
        all_good_ = false;
    }
    template<typename Result>
    void add(const std::string& part, const Result& result) {
        if (result)
            good(part);
        else
            bad(part, result.error().message);
    }
    bool all_good() const { return all_good_; }

  private:
    bool all_good_ = true;
};

} // namespace

int check(const config::Config& config, const config::Environment& environment) {
    Findings findings;
    findings.good("configuration");
    findings.add("secrets", config::read_master_key(config.secrets, environment));
    findings.add("delivery", net::Network::create(config.delivery, 1));
    findings.add("postgres", store::check_database(config.postgres));
    const std::vector<std::string> kafka_problems =
        kafka::find_problems(config.kafka, config.postgres.connect_timeout);
    if (kafka_problems.empty()) findings.good("kafka");
    for (const std::string& problem : kafka_problems)
        findings.bad("kafka", problem);
    return findings.all_good() ? exit_ok : exit_failed;
}

} // namespace docmap::daemon
