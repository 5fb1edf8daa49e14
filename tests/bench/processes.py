"""CPU time and memory of processes, from /proc."""

from __future__ import annotations

import os
from pathlib import Path

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third on (the second, the name, may hold blanks)."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, all its threads, also those that have ended."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def family_cpu_seconds(pid: int) -> float:
    """As cpu_seconds, with the process's children: those that live, and those that ended and were waited for."""
    fields = _stat(pid)
    total = sum(int(field) for field in fields[11:15]) / TICKS_PER_S
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
        try:
            total += cpu_seconds(int(child))
        except (FileNotFoundError, ProcessLookupError):
            pass  # it ended in between; its time is in the parent's at the next reading
    return total


def resident_bytes(pid: int) -> int:
    """Memory that a process occupies now (RSS)."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES


def peak_resident_bytes(pid: int) -> int:
    """The most memory that a process has occupied so far (VmHWM)."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/{pid}/status has no VmHWM")
