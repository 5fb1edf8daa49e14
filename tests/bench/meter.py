"""Measures a process while it works: what it delivered, its CPU time and memory, PostgreSQL's CPU time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Callable

from bench.processes import cpu_seconds, family_cpu_seconds, peak_resident_bytes, resident_bytes

INTERVAL_S = 0.05


@dataclass(frozen=True)
class Sample:
    """One reading."""

    time_s: float
    delivered: int
    cpu_s: float
    server_cpu_s: float
    resident_bytes: int


@dataclass(frozen=True)
class Work:
    """What happened between two samples."""

    rate: float
    """Deliveries a second."""
    cpu_us: float
    """Microseconds of the process's CPU (user and system) per delivery."""
    server_cpu_us: float
    """Microseconds of PostgreSQL's CPU, over all its processes, per delivery."""

    @staticmethod
    def between(first: Sample, last: Sample) -> Work:
        """The rates between two samples with different counts."""
        count = last.delivered - first.delivered
        return Work(
            count / (last.time_s - first.time_s),
            (last.cpu_s - first.cpu_s) / count * 1e6,
            (last.server_cpu_s - first.server_cpu_s) / count * 1e6,
        )


class Meter:
    """Samples one process. `delivered` counts at the receiver, so that counting costs the process nothing."""

    def __init__(self, pid: int, server_pid: int, delivered: Callable[[], int]) -> None:
        self._pid = pid
        self._server_pid = server_pid
        self._delivered = delivered
        self._base = delivered()
        self.samples: list[Sample] = []
        self.peak_mb = 0.0
        """The most memory of the run (RSS), in MiB; set at its end."""

    def sample(self) -> Sample:
        """Takes a sample and returns it."""
        taken = Sample(
            time.monotonic(),
            self._delivered() - self._base,
            cpu_seconds(self._pid),
            family_cpu_seconds(self._server_pid),
            resident_bytes(self._pid),
        )
        self.samples.append(taken)
        return taken

    def run_until(self, done: Callable[[Sample], bool], timeout_s: float, what: Callable[[], str]) -> None:
        """Samples until `done` says so; raises after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while not done(self.sample()):
            if time.monotonic() > deadline:
                raise RuntimeError(f"not done within {timeout_s:g} s: {what()}")
            time.sleep(INTERVAL_S)

    def peak_megabytes(self) -> float:
        """The most memory so far (RSS), in MiB."""
        return peak_resident_bytes(self._pid) / 2**20

    def between_counts(self, first: int, last: int) -> Work:
        """The work from the first sample with at least `first` deliveries to the first with at least `last`."""
        begin = next(sample for sample in self.samples if sample.delivered >= first)
        end = next(sample for sample in self.samples if sample.delivered >= last)
        if end.delivered == begin.delivered:
            raise RuntimeError(f"{last} deliveries were made within one sample: too few to measure")
        return Work.between(begin, end)
