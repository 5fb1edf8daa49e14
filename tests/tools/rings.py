"""Runs the rings of tests: ctest for those in C++, pytest for the end-to-end tests."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tools.build import Build
from tools.commands import ROOT, heading, run
from tools.kafka import KafkaUnavailable
from tools.services import Services
from tools.tally import Tally

# What the tests are told of the broker, by the broker's name.
BROKER_KINDS = {"embedded": "mock", "kafka": "kafka"}


def run_unit(build: Build, services: Services, tally: Tally) -> None:
    """Pure tests: no server."""
    _ctest(build, services.folder, tally, "unit", "unit", jobs=os.cpu_count() or 2)


def run_component(build: Build, services: Services, tally: Tally) -> None:
    """One edge against a real peer; the edge to Kafka against both brokers."""
    # These mostly wait for brokers and deadlines.
    jobs = os.cpu_count() or 2
    _on_broker(build, services, tally, "component", "embedded", jobs=jobs)
    _on_broker(build, services, tally, "component", "kafka", only=r"^component\.kafka\.", jobs=jobs)


def run_integration(build: Build, services: Services, tally: Tally) -> None:
    """The floors together, on both brokers."""
    for broker in BROKER_KINDS:
        _on_broker(build, services, tally, "integration", broker)


def run_e2e(build: Build, services: Services, tally: Tally) -> None:
    """The daemon as a process. The tests start their own servers, since they break them."""
    heading("e2e")
    report = services.folder / "e2e.xml"
    environment = {
        "DOCMAP_TEST_DAEMON": str(build.daemon),
        "DOCMAP_TEST_EMBEDDED_BROKER": str(build.embedded_broker),
        "PYTHONPATH": str(ROOT / "tests"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider"]
    command += [f"--basetemp={services.folder / 'pytest'}", f"--junitxml={report}", "tests/e2e"]
    run(command, environment)
    tally.add_junit(report, "e2e")


def run_simulation(build: Build, services: Services, tally: Tally, seeds: int) -> None:
    """Many seeds of the simulation, and the tests that its oracle finds defects."""
    _ctest(build, services.folder, tally, "simulation", "simulation: its own tests", jobs=1)
    heading(f"simulation: {seeds} seeds (preset {build.preset})")
    name = f"simulation of {seeds} seeds"
    if run([build.simulation, "--seeds", str(seeds)]) == 0:
        tally.passes(name)
    else:
        tally.fails(f"{name}: each finding above comes with the command that replays it")


def _on_broker(
    build: Build, services: Services, tally: Tally, ring: str, broker: str, *, only: str | None = None, jobs: int = 1
) -> None:
    suite = f"{ring} on the {broker} broker"
    count = _count(build, ring, only)
    if count == 0:
        return
    try:
        bootstrap = services.broker(broker).bootstrap
    except KafkaUnavailable as problem:
        if os.environ.get("REQUIRE_KAFKA") == "1":
            tally.fails(f"{suite}: Apache Kafka is required (REQUIRE_KAFKA=1): {problem}")
        else:
            tally.skip(f"{suite}: no Apache Kafka: {problem}", count)
        return
    environment = {
        "DOCMAP_TEST_POSTGRES_URL": services.postgres().url(),
        "DOCMAP_TEST_KAFKA_BROKERS": bootstrap,
        "DOCMAP_TEST_BROKER": BROKER_KINDS[broker],
    }
    _ctest(build, services.folder, tally, ring, suite, jobs=jobs, only=only, environment=environment)


def _ctest(
    build: Build,
    folder: Path,
    tally: Tally,
    ring: str,
    suite: str,
    *,
    jobs: int = 1,
    only: str | None = None,
    environment: dict[str, str] | None = None,
) -> None:
    heading(f"{suite} (preset {build.preset})")
    report = folder / f"{suite.replace(' ', '-')}.xml"
    command = [*_selection(build, ring, only), "--output-on-failure", "--parallel", str(jobs)]
    run([*command, "--output-junit", report], environment)
    tally.add_junit(report, suite)


def _count(build: Build, ring: str, only: str | None) -> int:
    listing = subprocess.run(
        [*_selection(build, ring, only), "--show-only"], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    totals = [line for line in listing.stdout.splitlines() if line.startswith("Total Tests:")]
    return int(totals[0].split(":")[1]) if totals else 0


def _selection(build: Build, ring: str, only: str | None) -> list[str]:
    pattern = ["--tests-regex", only] if only else []
    return ["ctest", "--test-dir", str(build.folder), "--label-regex", f"^{ring}$", *pattern, "--no-tests=ignore"]
