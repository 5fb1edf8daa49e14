#include "simulation/workers.hpp"

#include "simulation/simulation.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace docmap::simulation {

namespace {

using namespace std::chrono_literals;

/// A run takes milliseconds of real time. One that takes this long hangs.
constexpr auto longest_run = 60s;
constexpr std::size_t max_findings_shown = 20;
constexpr std::size_t max_finding_size = 500;

/// What a worker tells, in memory that both processes see.
struct Report {
    std::atomic<std::uint64_t> seed; ///< the one that runs
    std::atomic<std::uint64_t> steps;
    std::atomic<std::uint64_t> requests;
    std::atomic<bool> found;
    char finding[max_finding_size];
};

/// What all workers share.
struct Shared {
    std::atomic<std::uint64_t> next_seed;
    std::atomic<std::uint64_t> done;
    std::atomic<bool> stop;
};

struct Worker {
    Report* report = nullptr;
    pid_t process = -1;
    std::uint64_t seed = 0; ///< as last seen, and since when
    std::chrono::steady_clock::time_point seed_since;
    bool hung = false;
};

class Supervisor {
  public:
    Supervisor(const Batch& batch, const char* program) : batch_(batch), program_(program) {
        void* const memory = mmap(nullptr, sizeof(Shared) + batch.jobs * sizeof(Report),
                                  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) {
            std::perror("simulation: mmap");
            std::exit(1);
        }
        shared_ = new (memory) Shared{};
        shared_->next_seed = batch.first;
        workers_.resize(batch.jobs);
        char* place = static_cast<char*>(memory) + sizeof(Shared);
        for (Worker& worker : workers_) {
            worker.report = new (place) Report{};
            place += sizeof(Report);
        }
    }

    int run() {
        const auto started = std::chrono::steady_clock::now();
        for (Worker& worker : workers_)
            launch(worker);
        while (std::any_of(workers_.begin(), workers_.end(),
                           [](const Worker& worker) { return worker.process > 0; })) {
            for (Worker& worker : workers_)
                look_at(worker);
            show_progress();
            std::this_thread::sleep_for(20ms);
        }
        return conclude(std::chrono::steady_clock::now() - started);
    }

  private:
    void launch(Worker& worker) {
        std::fflush(stdout);
        worker.seed_since = std::chrono::steady_clock::now();
        worker.hung = false;
        worker.process = fork();
        if (worker.process != 0) return;
        while (!shared_->stop) {
            const std::uint64_t seed = shared_->next_seed++;
            if (seed >= batch_.first + batch_.seeds) break;
            worker.report->seed = seed;
            const Outcome outcome = simulate(seed, batch_.mutation, false);
            worker.report->steps += outcome.steps;
            worker.report->requests += outcome.requests;
            ++shared_->done;
            if (outcome.finding.empty()) continue;
            std::strncpy(worker.report->finding, outcome.finding.c_str(), max_finding_size - 1);
            worker.report->found = true;
            while (worker.report->found)
                std::this_thread::sleep_for(1ms);
        }
        _exit(0);
    }

    void look_at(Worker& worker) {
        if (worker.process <= 0) return;
        Report& report = *worker.report;
        if (report.found) {
            add_finding(report.seed, report.finding);
            report.found = false;
        }
        const auto now = std::chrono::steady_clock::now();
        if (report.seed != worker.seed) {
            worker.seed = report.seed;
            worker.seed_since = now;
        } else if (now - worker.seed_since > longest_run && !worker.hung) {
            worker.hung = true;
            kill(worker.process, SIGKILL);
        }
        int status = 0;
        if (waitpid(worker.process, &status, WNOHANG) != worker.process) return;
        worker.process = -1;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
        add_finding(report.seed, worker.hung ? "it does not end"
                                 : WIFSIGNALED(status)
                                     ? std::string("it crashed: ") + strsignal(WTERMSIG(status))
                                     : "its process ended early");
        ++shared_->done;
        if (!shared_->stop) launch(worker);
    }

    void add_finding(std::uint64_t seed, const std::string& finding) {
        ++findings_;
        if (batch_.expects_finding) shared_->stop = true;
        if (findings_ > max_findings_shown) return;
        if (isatty(STDOUT_FILENO) != 0) std::printf("\r\033[K");
        std::printf("seed %llu: %s\n", static_cast<unsigned long long>(seed), finding.c_str());
        std::string command = std::string(program_) + " --seed " + std::to_string(seed) + " --trace";
        for (const auto& [mutation, name] : mutation_names)
            if (mutation == batch_.mutation) command += " --mutation " + std::string(name);
        std::printf("  replay: %s\n", command.c_str());
        std::fflush(stdout);
    }

    void show_progress() const {
        if (isatty(STDOUT_FILENO) == 0) return;
        std::printf("\r%llu of %llu seeds, %zu findings", static_cast<unsigned long long>(shared_->done),
                    static_cast<unsigned long long>(batch_.seeds), findings_);
        std::fflush(stdout);
    }

    int conclude(std::chrono::steady_clock::duration time) const {
        std::uint64_t steps = 0;
        std::uint64_t requests = 0;
        for (const Worker& worker : workers_) {
            steps += worker.report->steps;
            requests += worker.report->requests;
        }
        if (isatty(STDOUT_FILENO) != 0) std::printf("\r\033[K");
        std::printf("%llu seeds, %llu requests, %llu steps in %.1f s: %zu findings\n",
                    static_cast<unsigned long long>(shared_->done), static_cast<unsigned long long>(requests),
                    static_cast<unsigned long long>(steps), std::chrono::duration<double>(time).count(),
                    findings_);
        return (findings_ > 0) == batch_.expects_finding ? 0 : 1;
    }

    const Batch& batch_;
    const char* program_;
    Shared* shared_ = nullptr;
    std::vector<Worker> workers_;
    std::size_t findings_ = 0;
};

} // namespace

int run_batch(const Batch& batch, const char* program) {
    return Supervisor(batch, program).run();
}

} // namespace docmap::simulation
