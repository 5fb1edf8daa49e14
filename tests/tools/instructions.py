"""Counts the instructions per event of the hot parts with callgrind, and compares them with their limits."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tools.build import Build
from tools.commands import ROOT, heading
from tools.tally import Tally

LIMITS = ROOT / "tests" / "bench" / "instructions" / "limits.json"
TARGET = "bench-instructions"
PRESET = "release"
ALLOWED_GROWTH = 1.10
TIMEOUT_S = 300

# What the program counts together and the limits keep apart: its head includes the signatures.
INCLUDED = {"head": "sign"}

Counts = dict[str, float]


def run_instructions(folder: Path, tally: Tally, *, write_limits: bool) -> None:
    """One result per part. Where this compiler and machine have no limits, the check is skipped and says so."""
    heading("instructions per event")
    if "avx2" not in Path("/proc/cpuinfo").read_text(encoding="utf-8"):
        # simdjson and libipsec-mb choose other code there.
        tally.skip("instructions: the limits were counted with AVX2, which this processor has not")
        return
    build = Build(PRESET)
    build.make([TARGET])
    counts = count(build.folder / "tests" / "bench" / TARGET, folder)
    platform = platform_name(build)
    limits: dict[str, Counts] = json.loads(LIMITS.read_text(encoding="utf-8"))
    if write_limits:
        limits[platform] = {part: round(value, 1) for part, value in counts.items()}
        LIMITS.write_text(json.dumps(limits, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        print(f"written: {LIMITS.relative_to(ROOT)}, {platform}")
    if platform not in limits:
        for part, value in counts.items():
            print(f"{part}: {value:.1f}")
        tally.skip(f"instructions: no limits for {platform}; `tests/run instructions --write-limits` makes them")
        return
    for part in sorted(counts.keys() | limits[platform].keys()):
        judge(part, counts.get(part), limits[platform].get(part), tally)


def judge(part: str, counted: float | None, limit: float | None, tally: Tally) -> None:
    """Compares one part. `limit` is what it had when the limit was set."""
    name = f"instructions: {part}"
    where = LIMITS.relative_to(ROOT)
    if counted is None or limit is None:
        missing = f"{where} has no limit for it" if limit is None else f"only {where} knows this part"
        tally.fails(f"{name}: {missing}; `tests/run instructions --write-limits` brings both together")
    elif counted > limit * ALLOWED_GROWTH:
        tally.fails(
            f"{name}: {counted:.1f} per event, {counted / limit - 1:+.0%}; at most {ALLOWED_GROWTH - 1:.0%} above "
            f"{limit:g} is allowed. Make it cheaper, or, where the cost is wanted, run `tests/run instructions "
            f"--write-limits`, commit {where} together with the change, and say in the message what the cost buys"
        )
    else:
        tally.passes(f"{name}: {counted:.1f} per event, {counted / limit - 1:+.1%} against {limit:g}")


def count(program: Path, folder: Path) -> Counts:
    """Runs the program under callgrind and returns the instructions per event of each part."""
    output = folder / "callgrind"
    command = ["valgrind", "--tool=callgrind", "--quiet", f"--callgrind-out-file={output}", str(program)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT_S)
    events = re.search(r"^events (\d+)$", done.stdout, re.MULTILINE)
    if done.returncode != 0 or events is None:
        raise RuntimeError(f"{program.name} under valgrind ended with {done.returncode}: {done.stderr.strip()}")
    counts: Counts = {}
    for dump in sorted(folder.glob("callgrind.*")):
        head = dump.read_text(encoding="utf-8", errors="replace")
        part = re.search(r"^desc: Trigger: Client Request: (\w+)$", head, re.MULTILINE)
        total = re.search(r"^summary: (\d+)", head, re.MULTILINE)
        if part and total:
            counts[part[1]] = int(total[1]) / int(events[1])
    for whole, included in INCLUDED.items():
        counts[whole] -= counts[included]
    return counts


def platform_name(build: Build) -> str:
    """What the counts depend on: the compiler and the libraries, which come with the Debian release."""
    cache = (build.folder / "CMakeCache.txt").read_text(encoding="utf-8")
    compiler = re.search(r"^CMAKE_CXX_COMPILER:\w+=(.+)$", cache, re.MULTILINE)
    assert compiler is not None, "CMake has configured the build"
    about = subprocess.run([compiler[1], "--version"], capture_output=True, text=True, check=True).stdout
    family = "clang" if "clang" in about else "gcc"
    version = subprocess.run([compiler[1], "-dumpversion"], capture_output=True, text=True, check=True).stdout
    release = Path("/etc/os-release").read_text(encoding="utf-8")
    name = re.search(r'^ID="?(\w+)', release, re.MULTILINE)
    number = re.search(r'^VERSION_ID="?([\w.]+)', release, re.MULTILINE)
    system = f"{name[1] if name else 'unknown'} {number[1] if number else ''}".strip()
    return f"{system}, {family} {version.split('.')[0].strip()}"
