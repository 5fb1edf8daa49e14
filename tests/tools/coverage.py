"""Line coverage of lib/core by the unit tests."""

from __future__ import annotations

import json
import os
import subprocess

from tools.build import Build, ring_targets
from tools.commands import ROOT, heading
from tools.rings import run_unit
from tools.services import Services
from tools.tally import Tally

REQUIRED_PERCENT = 95.0


def run_coverage(services: Services, tally: Tally) -> None:
    """Builds the unit tests with counters, runs them, prints the coverage of each file and checks the total."""
    build = Build("coverage")
    with build.reserved():
        build.make(ring_targets("unit"))
        for counts in build.folder.rglob("*.gcda"):
            counts.unlink()
        run_unit(build, services, tally)
        _report(build, services, tally)


def _report(build: Build, services: Services, tally: Tally) -> None:
    heading("coverage of lib/core")
    report = services.folder / "coverage.json"
    command = ["gcovr", "--root", str(ROOT), "--filter", "lib/core/", "--exclude-throw-branches", "--txt", "-"]
    command += ["--json-summary", str(report), "-j", str(os.cpu_count() or 2), str(build.folder)]
    subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, check=True)
    percent = json.loads(report.read_text())["line_percent"]
    name = f"line coverage of lib/core: {percent} %, at least {REQUIRED_PERCENT:g} % is required"
    if percent >= REQUIRED_PERCENT:
        tally.passes(name)
    else:
        tally.fails(name)
