// Prints how many nanoseconds a cache line takes to another core and back: the median of a few series. A
// hypervisor may move virtual cores between real ones, near each other or not, and with that the cost of
// everything that two cores share, sockets above all.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <sched.h>
#include <thread>

namespace {

constexpr int round_trips = 50'000;

/// Ball for the first thread where even, for the second one where odd.
alignas(128) std::atomic<int> ball{0};

void pin_to(int core) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(core, &only);
    sched_setaffinity(0, sizeof only, &only);
}

void play(int core, int first) {
    pin_to(core);
    for (int turn = first; turn < 2 * round_trips; turn += 2) {
        while (ball.load(std::memory_order_acquire) != turn) {
        }
        ball.store(turn + 1, std::memory_order_release);
    }
}

double nanoseconds(int first_core, int second_core) {
    ball = 0;
    const auto start = std::chrono::steady_clock::now();
    std::thread other([=] { play(second_core, 1); });
    play(first_core, 0);
    other.join();
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
    return taken.count() / round_trips;
}

} // namespace

int main() {
    cpu_set_t allowed;
    std::array<int, 2> cores{};
    std::size_t found = 0;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
        for (int core = 0; core < CPU_SETSIZE && found < cores.size(); ++core)
            if (CPU_ISSET(core, &allowed)) cores[found++] = core;
    if (found < cores.size()) {
        std::fputs("bench-core-round-trip: there is only one core\n", stderr);
        return 1;
    }
    std::array<double, 5> series{};
    for (double& each : series)
        each = nanoseconds(cores[0], cores[1]);
    std::ranges::sort(series);
    std::printf("%.0f\n", series[series.size() / 2]);
}
