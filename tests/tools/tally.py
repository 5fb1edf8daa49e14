"""Counts test results over all rings, from the JUnit files that ctest and pytest write."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Tally:
    """How many tests passed, failed and were skipped; the names of those that failed, the reasons of the skipped."""

    passed: int = 0
    failures: list[str] = field(default_factory=list)
    skips: dict[str, int] = field(default_factory=dict)

    def passes(self, name: str) -> None:
        """Counts one test that passed, and says so."""
        print(f"ok: {name}", flush=True)
        self.passed += 1

    def fails(self, name: str) -> None:
        """Counts one test that failed."""
        self.failures.append(name)

    def skip(self, reason: str, count: int = 1) -> None:
        """Counts tests that were skipped for this reason."""
        if count:
            self.skips[reason] = self.skips.get(reason, 0) + count

    def add_junit(self, report: Path, suite: str) -> None:
        """Adds the results in a JUnit file. A missing file means that the runner itself broke."""
        try:
            cases = list(ElementTree.parse(report).iter("testcase"))
        except (FileNotFoundError, ElementTree.ParseError):
            self.fails(f"{suite}: the runner ended without a report")
            return
        for case in cases:
            name = f"{suite}: {case.get('name')}"
            skipped = case.find("skipped")
            if case.find("failure") is not None or case.find("error") is not None:
                self.fails(name)
            elif skipped is not None:
                self.skip(f"{name}: {skipped.get('message') or 'skipped'}")
            elif case.get("status") in ("notrun", "disabled"):
                self.skip(f"{name}: {case.get('status')}")
            else:
                self.passed += 1

    def report(self) -> int:
        """Prints the reasons and the closing line, and returns the exit code."""
        for name in self.failures:
            print(f"failed: {name}")
        for reason, count in self.skips.items():
            print(f"skipped ({count}): {reason}")
        print(f"{self.passed} passed, {len(self.failures)} failed, {sum(self.skips.values())} skipped", flush=True)
        return 1 if self.failures else 0
