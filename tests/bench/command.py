"""The benchmark behind `tests/run bench`: real parts, several rounds, one table."""

from __future__ import annotations

import argparse
import datetime
import subprocess
import sys
import time
from typing import Any

from bench.heavy import HEAVY
from bench.measuring import Figures
from bench.report import as_json, table, write_docs, write_json
from bench.scenarios import MAIN, Scenario
from bench.stage import Options, Stage, machine
from tools.build import Build, BuildFailed
from tools.commands import ROOT, heading, stop_in_order
from tools.kafka import KafkaUnavailable
from tools.processes import StartFailed

SCENARIOS: dict[str, type[Scenario]] = {each.name: each for each in [*MAIN, *HEAVY]}
RESULTS = ROOT / "build" / "bench" / "results.json"
DOCUMENT = ROOT / "docs" / "performance.md"
TARGETS = ["docmap-webhookd", "embedded-broker", "bench-webhooks", "bench-core-round-trip"]


def parse() -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    """The command line."""
    listing = "\n".join(f"  {name:16} {each.about}" for name, each in SCENARIOS.items())
    parser = argparse.ArgumentParser(
        prog="tests/run bench",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measures the daemon beside wrk and a worker in Node.js, on real parts.",
        epilog=f"scenarios:\n{listing}\n\nWithout a name: {', '.join(each.name for each in MAIN)}. `all`: every one.\n"
        "wrk always runs, so that every round has its yardstick.",
    )
    parser.add_argument("scenario", nargs="*", help="scenarios to run; see below")
    parser.add_argument("--rounds", type=int, help="rounds, of which the median counts (default: 5; quick: 1)")
    parser.add_argument("--quick", action="store_true", help="small counts, to see that it works")
    parser.add_argument("--broker", choices=("kafka", "embedded"), default="kafka", help="default: Apache Kafka")
    parser.add_argument("--in-flight", type=int, default=64, help="connections of wrk; attempts at once of the others")
    parser.add_argument("--write-docs", action="store_true", help="put the table into docs/performance.md")
    return parser, parser.parse_args()


def chosen(names: list[str]) -> list[type[Scenario]]:
    """The scenarios to run, in their order, the yardstick among them."""
    if not names:
        return MAIN
    if "all" in names:
        return list(SCENARIOS.values())
    return [each for name, each in SCENARIOS.items() if name in names or name == "wrk"]


def run_rounds(stage: Stage, wanted: list[type[Scenario]], rounds: int) -> list[Figures]:
    """Prepares once, then runs every scenario once a round."""
    scenarios = [each(stage) for each in wanted]
    heading("preparing webhooks and backlogs")
    for scenario in scenarios:
        scenario.prepare()
    results = []
    for number in range(1, rounds + 1):
        heading(f"round {number} of {rounds}")
        found: Figures = {}
        for scenario in scenarios:
            started = time.monotonic()
            measured = scenario.measure()
            found |= measured
            values = ", ".join(f"{name} {value:.4g}" for name, value in measured.items())
            print(f"{scenario.name} ({time.monotonic() - started:.0f} s): {values}", flush=True)
        results.append(found)
    return results


def run_facts(arguments: argparse.Namespace, rounds: int) -> dict[str, Any]:
    """What the figures belong to."""
    commit = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True)
    command = ["tests/run", "bench", *sys.argv[1:]]
    return {
        "command": " ".join(command),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d"),
        "commit": commit.stdout.strip() or "unknown",
        "rounds": rounds,
        "broker": "Apache Kafka" if arguments.broker == "kafka" else "the embedded one",
        **machine(),
    }


def main() -> int:
    """Runs what the command line asks for."""
    parser, arguments = parse()
    unknown = [name for name in arguments.scenario if name not in SCENARIOS and name != "all"]
    if unknown:
        parser.error(f"unknown: {' '.join(unknown)}; choose from all, {', '.join(SCENARIOS)}")
    rounds = arguments.rounds or (1 if arguments.quick else 5)
    if rounds < 1 or arguments.in_flight < 1:
        parser.error("--rounds and --in-flight are at least 1")

    stop_in_order()
    build = Build("release")
    try:
        with build.reserved():
            build.make(TARGETS)
            heading("parts")
            options = Options(arguments.broker, arguments.in_flight, arguments.quick)
            with Stage(build, options) as stage:
                results = run_rounds(stage, chosen(arguments.scenario), rounds)
    except KeyboardInterrupt:
        print("interrupted: everything that was started has been ended", file=sys.stderr)
        return 130
    except (BuildFailed, StartFailed, KafkaUnavailable, RuntimeError, AssertionError) as problem:
        print(f"bench: {problem}", file=sys.stderr)
        return 1
    heading("result")
    facts = run_facts(arguments, rounds)
    print(table(results), flush=True)
    write_json(RESULTS, as_json(results, facts))
    print(f"\nfigures of every round: {RESULTS.relative_to(ROOT)}")
    if arguments.write_docs:
        write_docs(DOCUMENT, results, facts)
        print(f"table: {DOCUMENT.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
