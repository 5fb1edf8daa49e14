"""How far apart the cores are: what two of them share costs by it, and on virtual machines it changes."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from typing import Iterator

from bench.measuring import Figures, figures
from tools.build import Build

TARGET = "bench-core-round-trip"
TIMEOUT_S = 60


@contextmanager
def core_round_trips(prefix: str, build: Build, found: Figures) -> Iterator[None]:
    """Adds what a cache line takes to the other core and back: the mean of before and after the body. One core: nothing."""
    if len(os.sched_getaffinity(0)) < 2:
        yield
        return
    before = _round_trip_ns(build)
    yield
    found |= figures(prefix, core_round_trip_ns=(before + _round_trip_ns(build)) / 2)


def _round_trip_ns(build: Build) -> float:
    program = build.folder / "tests" / "bench" / TARGET
    done = subprocess.run([program], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S)
    if done.returncode != 0:
        raise RuntimeError(f"{TARGET} ended with {done.returncode}: {done.stderr.strip()}")
    return float(done.stdout)
