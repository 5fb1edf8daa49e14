"""Configures and builds a CMake preset, and knows where its programs lie."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from tools.commands import ROOT, heading, run


class BuildFailed(RuntimeError):
    """The compiler's or CMake's messages have been shown already."""


class Build:
    """One preset's build folder."""

    def __init__(self, preset: str) -> None:
        self.preset = preset
        self.folder = ROOT / "build" / preset

    @property
    def daemon(self) -> Path:
        """The product."""
        return self.folder / "daemon" / "docmap-webhookd"

    @property
    def embedded_broker(self) -> Path:
        """The broker program."""
        return self.folder / "tests" / "broker" / "embedded-broker"

    @property
    def simulation(self) -> Path:
        """The simulation of the pipeline."""
        return self.folder / "tests" / "simulation" / "simulation"

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Keeps others from rebuilding the programs while they are in use."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / ".in-use.lock", "w", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print(f"waiting: another run uses the build of preset {self.preset}", flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def make(self, targets: list[str]) -> None:
        """Brings the targets up to date (`all` for everything)."""
        heading(f"build: preset {self.preset}: {' '.join(targets)}")
        # A package may have brought a compiler along since the last configuration; CMake notices by itself.
        if run(["cmake", "--preset", self.preset]) != 0:
            raise BuildFailed(f"cmake --preset {self.preset} failed")
        jobs = str(os.cpu_count() or 2)
        if run(["cmake", "--build", self.folder, "--parallel", jobs, "--target", *targets]) != 0:
            raise BuildFailed(f"the build of preset {self.preset} failed")


def ring_targets(ring: str) -> list[str]:
    """The test programs of one ring: one per folder in tests/<ring>/ that has sources."""
    folders = sorted((ROOT / "tests" / ring).iterdir()) if (ROOT / "tests" / ring).is_dir() else []
    return [f"{ring}_{folder.name}" for folder in folders if folder.is_dir() and any(folder.glob("*.cpp"))]
