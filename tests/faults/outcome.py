"""What a fault came to, and the list of all faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from faults.ground import Ground


@dataclass
class Outcome:
    """The result of one fault. It is good when nothing was lost and no bound was broken."""

    events: int = 0
    """Deliveries owed: events times their webhooks."""
    lost: int = 0
    duplicated: int = 0
    """Requests beyond the one that each attempt is owed."""
    recovery_s: float | None = None
    """From the end of the fault until everything produced before that had arrived and was recorded."""
    problems: list[str] = field(default_factory=list)
    """Bounds that were broken, in words."""
    notes: list[str] = field(default_factory=list)
    """Figures worth reading."""

    @property
    def good(self) -> bool:
        """True when it passed."""
        return self.lost == 0 and not self.problems

    def expect(self, holds: bool, otherwise: str) -> None:
        """Notes a broken bound unless `holds`."""
        if not holds:
            self.problems.append(otherwise)


class Skipped(Exception):
    """The fault cannot be made on this machine; the message says why."""


@dataclass(frozen=True)
class Fault:
    """One entry of the suite."""

    name: str
    title: str
    run: Callable[[Ground], Outcome]


FAULTS: dict[str, Fault] = {}
"""All faults in the order in which they run."""


def fault(name: str, title: str) -> Callable[[Callable[[Ground], Outcome]], Callable[[Ground], Outcome]]:
    """Enters a function into FAULTS."""

    def enter(run: Callable[[Ground], Outcome]) -> Callable[[Ground], Outcome]:
        FAULTS[name] = Fault(name, title, run)
        return run

    return enter
