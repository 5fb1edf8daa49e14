#include "daemon/process.hpp"

#include "base/log.hpp"

#include <cerrno>
#include <sched.h>
#include <sys/resource.h>
#include <system_error>
#include <systemd/sd-daemon.h>

namespace docmap::daemon {

void raise_open_file_limit(std::size_t wanted) {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted) return;
    base::log::warning(
        "the limit on open files is too low for delivery.max_in_flight; raise it (LimitNOFILE= in "
        "the unit, ulimit -n in a shell) or lower max_in_flight",
        {{"open_files", limit.rlim_cur}, {"wanted", wanted}});
}

void prefer_throughput() {
    if (sched_getscheduler(0) != SCHED_OTHER) return;
    const sched_param unused{};
    if (sched_setscheduler(0, SCHED_BATCH, &unused) != 0)
        base::log::warning("SCHED_BATCH is refused; deliveries cost some more CPU time",
                           {{"reason", std::generic_category().message(errno)}});
}

void notify_ready() {
    sd_notify(0, "READY=1");
}

void notify_stopping() {
    sd_notify(0, "STOPPING=1");
}

} // namespace docmap::daemon
