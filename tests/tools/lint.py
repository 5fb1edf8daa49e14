"""Style as a test: the formatter, the direction of includes, the size of files."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tools.commands import ROOT, heading, run
from tools.tally import Tally

MAX_LINES = 400
FORMATTER_MAJOR = 14
"""Releases of clang-format disagree on details; the one of Debian 12 is the judge."""


def run_lint(tally: Tally) -> None:
    """Runs the three checks."""
    heading("lint")
    _check_format(tally)
    _check("lint: includes run downward", run([sys.executable, "tests/tools/check_includes.py", ROOT]) == 0, tally)
    long = [f"{path.relative_to(ROOT)}: {count} lines" for path, count in _line_counts() if count > MAX_LINES]
    for line in long:
        print(f"{line}, at most {MAX_LINES} are allowed")
    _check(f"lint: no file above {MAX_LINES} lines", not long, tally)


def _check_format(tally: Tally) -> None:
    name = "lint: clang-format"
    version = subprocess.run(["clang-format", "--version"], capture_output=True, text=True).stdout
    major = re.search(r"version (\d+)", version)
    if major is None or int(major[1]) != FORMATTER_MAJOR:
        tally.skip(f"{name}: release {FORMATTER_MAJOR} judges, here is: {version.strip() or 'none'}")
        return
    files = [str(path) for path in _sources("lib", "daemon", "tests")]
    _check(name, run(["clang-format", "--dry-run", "-Werror", *files]) == 0, tally)


def _check(name: str, good: bool, tally: Tally) -> None:
    if good:
        tally.passes(name)
    else:
        tally.fails(name)


def _line_counts() -> list[tuple[Path, int]]:
    return [(path, path.read_bytes().count(b"\n")) for path in _sources("lib", "daemon")]


def _sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.[hc]pp"))
