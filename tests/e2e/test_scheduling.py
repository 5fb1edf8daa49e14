"""How the process asks Linux to schedule it."""

from __future__ import annotations

import os

from e2e.site import Site


def test_all_threads_are_scheduled_for_throughput(site: Site) -> None:
    threads = [int(name) for name in os.listdir(f"/proc/{site.daemon.process.pid}/task")]
    assert len(threads) > 5
    assert {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_BATCH}
