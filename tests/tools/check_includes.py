#!/usr/bin/env python3
"""Checks that every include under lib/ and daemon/ runs downward, never upward or sideways.

Usage: check_includes.py SOURCE_DIR. Prints one line per include that breaks the rule and exits 1, else exits 0.
"""

import re
import sys
from pathlib import Path

# Floors from docs/architecture.md. Folders on one floor are siblings: none includes another.
FLOORS: dict[str, int] = {
    "base": 0,
    "config": 1,
    "core": 2,
    "async": 3,
    "ports": 4,
    "kafka": 5,
    "store": 5,
    "net": 5,
    "api": 5,
    "pipeline": 5,
    "daemon": 6,
}
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([a-z_]+)/')


def problems_in(file: Path, folder: str, shown: Path) -> list[str]:
    """The lines of one file whose include breaks the rule."""
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        match = INCLUDE.match(line)
        if not match or match[1] not in FLOORS or match[1] == folder:
            continue
        direction = FLOORS[match[1]] - FLOORS[folder]
        if direction >= 0:
            way = "upward" if direction > 0 else "sideways"
            found.append(f"{shown}:{number}: {folder} (floor {FLOORS[folder]}) includes {way}: {line.strip()}")
    return found


def main() -> int:
    root = Path(sys.argv[1])
    problems: list[str] = []
    checked = 0
    for file in sorted([*root.glob("lib/*/*.[hc]pp"), *root.glob("daemon/*.[hc]pp")]):
        folder = file.parent.name
        if folder not in FLOORS:
            problems.append(f"{file.relative_to(root)}: folder {folder} has no floor")
            continue
        checked += 1
        problems += problems_in(file, folder, file.relative_to(root))
    for problem in problems:
        print(problem)
    if checked == 0:
        print(f"no source file found under {root}")
        return 1
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
