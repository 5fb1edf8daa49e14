"""The test runner behind tests/run."""

from __future__ import annotations

import argparse
import sys
import time

from faults import FAULTS
from faults.suite import run_faults
from tools.build import Build, BuildFailed, ring_targets
from tools.commands import heading, stop_in_order
from tools.coverage import run_coverage
from tools.instructions import run_instructions
from tools.lint import run_lint
from tools.processes import StartFailed
from tools.rings import run_component, run_e2e, run_integration, run_simulation, run_unit
from tools.services import Services
from tools.tally import Tally

RINGS = {"unit": run_unit, "component": run_component, "integration": run_integration, "e2e": run_e2e}
EXTRAS = ("coverage", "faults", "instructions", "lint", "simulate")
DEFAULT_SEEDS = 10_000


def targets_of(rings: list[str]) -> list[str]:
    """What has to be built for these rings."""
    if set(rings) == set(RINGS):
        return ["all"]
    targets = [target for ring in rings for target in ring_targets(ring)]
    if set(rings) - {"unit"}:
        targets.append("embedded-broker")
    if "e2e" in rings:
        targets.append("docmap-webhookd")
    return targets


def run_rings(rings: list[str], build: Build, services: Services, tally: Tally) -> None:
    """Builds, then runs the rings in their order."""
    targets = targets_of(rings)
    if targets:
        build.make(targets)
    for ring in rings:
        started = time.monotonic()
        RINGS[ring](build, services, tally)
        print(f"{ring}: {time.monotonic() - started:.0f} s", flush=True)


def take_seeds(what: list[str]) -> int:
    """Takes the number after `simulate` out of the command line: how many seeds to run."""
    place = what.index("simulate") + 1 if "simulate" in what else len(what)
    if place < len(what) and what[place].isdigit():
        return int(what.pop(place))
    return DEFAULT_SEEDS


def main() -> int:
    """Runs what the command line asks for."""
    parser = argparse.ArgumentParser(prog="tests/run", description="Builds and runs the tests.")
    parser.add_argument(
        "what",
        nargs="*",
        help=f"{', '.join([*RINGS, *EXTRAS])}; all four rings when left out; what follows `faults` are names of faults",
    )
    parser.add_argument("--preset", default="dev", help="the CMake preset to build (default: dev)")
    parser.add_argument(
        "--write-limits", action="store_true", help="instructions: make the counts of this run the limits"
    )
    arguments = parser.parse_args()
    faults: list[str] = []
    if "faults" in arguments.what:
        at = arguments.what.index("faults")
        faults = arguments.what[at + 1 :]
        del arguments.what[at + 1 :]
        strange = [name for name in faults if name not in FAULTS]
        if strange:
            parser.error(f"unknown fault: {' '.join(strange)}; choose from {', '.join(FAULTS)}")
    seeds = take_seeds(arguments.what)
    unknown = [each for each in arguments.what if each not in RINGS and each not in EXTRAS]
    if unknown:
        parser.error(f"unknown: {' '.join(unknown)}; choose from {', '.join([*RINGS, *EXTRAS])}")
    wanted = arguments.what or list(RINGS)
    rings = [ring for ring in RINGS if ring in wanted]

    stop_in_order()
    tally = Tally()
    build = Build(arguments.preset)
    try:
        with build.reserved(), Services("tests", build.embedded_broker) as services:
            if "lint" in wanted:
                run_lint(tally)
            if rings:
                run_rings(rings, build, services, tally)
            if "simulate" in wanted:
                build.make(["simulation"])
                run_simulation(build, services, tally, seeds)
            if "faults" in wanted:
                started = time.monotonic()
                if not rings:
                    build.make(["docmap-webhookd", "embedded-broker"])
                run_faults(build, services, tally, faults)
                print(f"faults: {time.monotonic() - started:.0f} s", flush=True)
            if "coverage" in wanted:
                run_coverage(services, tally)
            if "instructions" in wanted:
                run_instructions(services.folder, tally, write_limits=arguments.write_limits)
            heading("result")
    except KeyboardInterrupt:
        print("interrupted: everything that was started has been ended", file=sys.stderr)
        return 130
    except (BuildFailed, StartFailed) as problem:
        tally.fails(str(problem))
    return tally.report()


if __name__ == "__main__":
    sys.exit(main())
