"""What the process asks of Linux: how to schedule it, and large pages."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from e2e.site import Site


def test_all_threads_are_scheduled_for_throughput(site: Site) -> None:
    threads = [int(name) for name in os.listdir(f"/proc/{site.daemon.process.pid}/task")]
    assert len(threads) > 5
    assert {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_BATCH}


def test_the_unit_asks_for_large_pages(site: Site) -> None:
    environment = Path(f"/proc/{site.daemon.process.pid}/environ").read_bytes().split(b"\0")
    assert b"GLIBC_TUNABLES=glibc.malloc.hugetlb=1" in environment
    if "[madvise]" not in Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text():
        pytest.skip("this kernel gives large pages always or never")
    if "libasan" in Path(f"/proc/{site.daemon.process.pid}/maps").read_text():
        pytest.skip("the heap is not the C library's")
    # "hg": the C library has advised the kernel to use them here.
    flags = re.findall(r"^VmFlags:.*\bhg\b", Path(f"/proc/{site.daemon.process.pid}/smaps").read_text(), re.MULTILINE)
    assert flags, "the C library knows the setting"
