// A Kafka broker for tests and for the quickstart: librdkafka's mock cluster as a process of its own.
//
//   embedded-broker [--brokers N] [--topic NAME:PARTITIONS]... [--exit-with-stdin]
//
// Prints `bootstrap 127.0.0.1:PORT[,...]` once it is ready. Ends on SIGTERM or SIGINT, with --exit-with-stdin
// also when standard input closes. Reads one command per line from standard input and answers each with one
// line, `ok` or `error: <why>`:
//
//   topic NAME PARTITIONS            create a topic
//   down N | up N                    break off a broker's connections and refuse new ones; take it back (N
//   -1: all) rtt N MILLISECONDS               answer every request of that broker later error API CODE COUNT
//   answer the next COUNT requests of a protocol API with that error code leader TOPIC PARTITION N move a
//   partition to another broker (N -1: leaderless)
//
// The mock keeps 5 MiB per partition and forgets older records silently; a rebalance takes the session
// timeout - 1 s.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <poll.h>
#include <sstream>
#include <string>
#include <string_view>
#include <sys/signalfd.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::size_t max_command_bytes = 4096;

struct Topic {
    std::string name;
    int partitions = 1;
};

struct Options {
    int brokers = 1;
    std::vector<Topic> topics;
    bool exit_with_stdin = false;
};

struct ClusterDeleter {
    void operator()(rd_kafka_mock_cluster_t* cluster) const { rd_kafka_mock_cluster_destroy(cluster); }
};
struct HandleDeleter {
    void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
};
using Cluster = std::unique_ptr<rd_kafka_mock_cluster_t, ClusterDeleter>;
using Handle = std::unique_ptr<rd_kafka_t, HandleDeleter>;

std::optional<int> to_number(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Reads the command line; prints what is wrong and returns nothing when it does not parse.
std::optional<Options> parse_options(int argc, char** argv) {
    Options options;
    const auto refuse = [](std::string_view what) {
        std::cerr
            << "embedded-broker: " << what
            << "\nusage: embedded-broker [--brokers N] [--topic NAME:PARTITIONS]... [--exit-with-stdin]\n";
        return std::nullopt;
    };
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--exit-with-stdin") {
            options.exit_with_stdin = true;
            continue;
        }
        if (i + 1 == argc) return refuse(std::string{name} + " is unknown or lacks its value");
        const std::string_view value = argv[++i];
        if (name == "--brokers") {
            const auto count = to_number(value);
            if (!count || *count < 1 || *count > 16) return refuse("--brokers takes a number from 1 to 16");
            options.brokers = *count;
        } else if (name == "--topic") {
            const auto colon = value.rfind(':');
            const auto partitions =
                colon == std::string_view::npos ? std::nullopt : to_number(value.substr(colon + 1));
            if (!partitions || *partitions < 1 || colon == 0) return refuse("--topic takes NAME:PARTITIONS");
            options.topics.push_back({std::string{value.substr(0, colon)}, *partitions});
        } else {
            return refuse(std::string{name} + " is unknown");
        }
    }
    return options;
}

std::string answer(rd_kafka_resp_err_t error) {
    return error == RD_KAFKA_RESP_ERR_NO_ERROR ? "ok" : std::string{"error: "} + rd_kafka_err2str(error);
}

std::string push_errors(rd_kafka_mock_cluster_t* cluster, int api, int code, int count) {
    if (api < 0 || api > 100 || count < 1 || count > 10000) return "error: API is 0-100, COUNT is 1-10000";
    const std::vector<rd_kafka_resp_err_t> errors(static_cast<std::size_t>(count),
                                                  static_cast<rd_kafka_resp_err_t>(code));
    rd_kafka_mock_push_request_errors_array(cluster, static_cast<std::int16_t>(api), errors.size(),
                                            errors.data());
    return "ok";
}

/// Carries out one line of the command protocol and returns the answer's line.
std::string run_command(rd_kafka_mock_cluster_t* cluster, const std::string& line) {
    std::istringstream words{line};
    std::string verb;
    std::string topic;
    int first = 0;
    int second = 0;
    int third = 0;
    words >> verb;
    if (verb == "topic" && words >> topic >> first)
        return answer(rd_kafka_mock_topic_create(cluster, topic.c_str(), first, 1));
    if (verb == "down" && words >> first) return answer(rd_kafka_mock_broker_set_down(cluster, first));
    if (verb == "up" && words >> first) return answer(rd_kafka_mock_broker_set_up(cluster, first));
    if (verb == "rtt" && words >> first >> second)
        return answer(rd_kafka_mock_broker_set_rtt(cluster, first, second));
    if (verb == "error" && words >> first >> second >> third)
        return push_errors(cluster, first, second, third);
    if (verb == "leader" && words >> topic >> first >> second)
        return answer(rd_kafka_mock_partition_set_leader(cluster, topic.c_str(), first, second));
    return "error: unknown or incomplete command: " + line;
}

/// Standard input, cut into lines. Ends when the input closes or a line is longer than a command can be.
class CommandReader {
  public:
    /// Reads what is there and runs the complete lines. False when no more will come.
    bool serve(rd_kafka_mock_cluster_t* cluster) {
        std::array<char, 1024> chunk{};
        const auto count = read(STDIN_FILENO, chunk.data(), chunk.size());
        if (count < 0 && (errno == EINTR || errno == EAGAIN)) return true;
        if (count <= 0) return false;
        pending_.append(chunk.data(), static_cast<std::size_t>(count));
        for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n')) {
            std::cout << run_command(cluster, pending_.substr(0, end)) << std::endl;
            pending_.erase(0, end + 1);
        }
        return pending_.size() <= max_command_bytes;
    }

  private:
    std::string pending_;
};

/// Serves commands until a signal arrives (or, if asked for, until standard input closes).
void serve_until_stopped(rd_kafka_mock_cluster_t* cluster, int signals, bool exit_with_stdin) {
    CommandReader commands;
    std::array<pollfd, 2> waits{{{signals, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}}};
    while (true) {
        if (poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) return;
        if (waits[0].revents != 0) return;
        if (waits[1].revents == 0 || commands.serve(cluster)) continue;
        if (exit_with_stdin) return;
        waits[1].fd = -1;
    }
}

} // namespace

int main(int argc, char** argv) {
    const auto options = parse_options(argc, argv);
    if (!options) return 2;

    // Blocked before librdkafka starts threads, so that the signals arrive at the descriptor alone.
    sigset_t stops;
    sigemptyset(&stops);
    sigaddset(&stops, SIGTERM);
    sigaddset(&stops, SIGINT);
    sigprocmask(SIG_BLOCK, &stops, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    const int signals = signalfd(-1, &stops, SFD_CLOEXEC);

    std::array<char, 512> why{};
    const Handle handle{rd_kafka_new(RD_KAFKA_PRODUCER, nullptr, why.data(), why.size())};
    if (!handle) {
        std::cerr << "embedded-broker: librdkafka did not start: " << why.data() << '\n';
        return 1;
    }
    const Cluster cluster{rd_kafka_mock_cluster_new(handle.get(), options->brokers)};
    if (!cluster) {
        std::cerr << "embedded-broker: the mock cluster did not start\n";
        return 1;
    }
    for (const auto& topic : options->topics) {
        const auto error = rd_kafka_mock_topic_create(cluster.get(), topic.name.c_str(), topic.partitions, 1);
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
        std::cerr << "embedded-broker: topic " << topic.name << ": " << rd_kafka_err2str(error) << '\n';
        return 1;
    }
    std::cout << "bootstrap " << rd_kafka_mock_cluster_bootstraps(cluster.get()) << std::endl;
    serve_until_stopped(cluster.get(), signals, options->exit_with_stdin);
    return 0;
}
