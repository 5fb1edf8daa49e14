"""Waiting for a condition with a deadline, instead of sleeping and hoping."""

from __future__ import annotations

import time
from typing import Callable, TypeVar

Result = TypeVar("Result")


class DeadlineMissed(AssertionError):
    """A condition did not come true in time."""


def steady(value: Callable[[], object], looks: int = 10) -> Callable[[], bool]:
    """A condition for `wait_for`: the value was the same at so many looks in a row."""
    seen: list[object] = []

    def is_steady() -> bool:
        seen.append(value())
        return len(seen) >= looks and all(each == seen[-1] for each in seen[-looks:])

    return is_steady


def wait_for(
    condition: Callable[[], Result],
    what: str | Callable[[], str],
    timeout_s: float = 30.0,
    interval_s: float = 0.02,
) -> Result:
    """Calls `condition` until it returns something true, and returns that.

    Raises DeadlineMissed that names `what` (a text, or a function that makes one) after `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() >= deadline:
            text = what() if callable(what) else what
            raise DeadlineMissed(f"not within {timeout_s:g} s: {text}")
        time.sleep(interval_s)
