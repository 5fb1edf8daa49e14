"""Runs the faults one after the other and prints the table."""

from __future__ import annotations

import os
import time
import traceback
from typing import Sequence

from faults import FAULTS
from faults.ground import Ground
from faults.outcome import Fault, Outcome, Skipped
from tools.build import Build
from tools.commands import heading
from tools.kafka import KafkaUnavailable
from tools.services import Services
from tools.tally import Tally

HEADER = f"{'fault':<22} {'events':>8} {'lost':>6} {'duplicated':>10} {'recovery':>9} {'took':>7}  result"


def run_faults(build: Build, services: Services, tally: Tally, names: Sequence[str] = ()) -> None:
    """Runs the named faults, or all. A failed one leaves the run's folder behind."""
    heading(f"faults (preset {build.preset})")
    chosen = [FAULTS[name] for name in names] if names else list(FAULTS.values())
    try:
        services.broker("kafka")
    except KafkaUnavailable as problem:
        if os.environ.get("REQUIRE_KAFKA") == "1":
            tally.fails(f"faults: Apache Kafka is required (REQUIRE_KAFKA=1): {problem}")
        else:
            tally.skip(f"faults: no Apache Kafka: {problem}", len(chosen))
        return
    lines = []
    failed = False
    for each in chosen:
        started = time.monotonic()
        outcome: Outcome | None = None
        try:
            outcome = _run(each, build, services)
        except Skipped as reason:
            tally.skip(f"fault {each.name}: {reason}")
            lines.append(f"{each.name:<22} skipped: {reason}")
        else:
            if outcome.good:
                tally.passed += 1
            else:
                failed = True
                tally.fails(f"fault {each.name}: {'; '.join(problem.splitlines()[-1] for problem in outcome.problems)}")
            lines.append(_line(each, outcome, time.monotonic() - started))
        print(lines[-1], flush=True)
        if outcome is not None:
            _explain(each, outcome, services)
    if failed:
        services.keep_folder()
    print("\n" + HEADER)
    print("\n".join(lines), flush=True)
    if failed:
        print(f"kept for a look: {services.folder} (faults/<fault>: logs, journals; postgres, kafka)", flush=True)


def _run(each: Fault, build: Build, services: Services) -> Outcome:
    print(f"\n-- {each.name}: {each.title}", flush=True)
    with Ground(build.daemon, services, each.name) as ground:
        try:
            outcome = each.run(ground)
        except Skipped:
            raise
        except Exception:
            return Outcome(problems=[traceback.format_exc().strip()])
    if outcome.good:
        ground.drop_databases()
    return outcome


def _line(each: Fault, outcome: Outcome, took_s: float) -> str:
    recovery = "-" if outcome.recovery_s is None else f"{outcome.recovery_s:.1f} s"
    return (
        f"{each.name:<22} {outcome.events:>8} {outcome.lost:>6} {outcome.duplicated:>10} {recovery:>9} "
        f"{took_s:>5.0f} s  {'ok' if outcome.good else 'FAILED'}"
    )


def _explain(each: Fault, outcome: Outcome, services: Services) -> None:
    for note in outcome.notes:
        print(f"   {note}")
    for problem in outcome.problems:
        print(f"   PROBLEM: {problem}")
    if not outcome.good:
        print(f"   look at {services.folder / 'faults' / each.name}", flush=True)
