#include "daemon/process.hpp"

#include "base/log.hpp"

#include <sys/resource.h>
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

void notify_ready() {
    sd_notify(0, "READY=1");
}

void notify_stopping() {
    sd_notify(0, "STOPPING=1");
}

} // namespace docmap::daemon
