"""Load: known events at a steady pace, and what is owed for them."""

from __future__ import annotations

import itertools
import threading
import time
from typing import Iterable, Sequence

from e2e.site import Hook, Site
from faults.ground import FaultSite
from tools.receivers import Receiver
from tools.records import RecordWriter
from tools.waiting import wait_for

Delivery = tuple[str, str]
"""An event's id and a webhook's id: what is owed."""

_names = itertools.count(1)


class Load(threading.Thread):
    """Writes events in turn to the users of some webhooks. `count` events, or until `stop`.

    A `writer` that has written before is needed where time counts: a new one takes up to a second to begin.

    What was written is known at the end: `finish` raises when the broker did not take something.
    """

    def __init__(
        self,
        site: Site,
        hooks: Sequence[Hook],
        rate: float,
        count: int | None = None,
        size: int = 200,
        writer: RecordWriter | None = None,
    ) -> None:
        super().__init__(daemon=True)
        self._site = site
        self._hooks: dict[str, list[Hook]] = {}
        for hook in hooks:
            self._hooks.setdefault(hook.user, []).append(hook)
        self._rate = rate
        self._count = count
        self._writer = writer
        self._padding = "x" * size
        self._name = f"load{next(_names)}"
        self._stopping = threading.Event()
        self._failure: BaseException | None = None
        self.owed: dict[Delivery, float] = {}
        """What is owed, with the time at which its event was produced."""

    def run(self) -> None:
        try:
            self._write()
        except BaseException as problem:  # told to whoever calls finish
            self._failure = problem

    def stop(self) -> None:
        """Writes nothing more."""
        self._stopping.set()

    def finish(self, timeout_s: float = 120.0) -> dict[Delivery, float]:
        """Waits for the end and returns what is owed."""
        self.join(timeout_s)
        if self.is_alive():
            raise RuntimeError(f"the load did not end within {timeout_s} s")
        if self._failure is not None:
            raise RuntimeError(f"the load broke: {self._failure}") from self._failure
        return self.owed

    def _write(self) -> None:
        writer = self._writer or RecordWriter(self._site.broker, once=True)
        users = list(self._hooks)
        started = time.monotonic()
        for number in itertools.count() if self._count is None else range(self._count):
            ahead_s = started + number / self._rate - time.monotonic()
            if ahead_s > 0.002:
                writer.poll()
                self._stopping.wait(ahead_s)
            if self._stopping.is_set():
                break
            user = users[number % len(users)]
            event_id = f"{self._name}-{number}"
            writer.write(self._site.record(user, id=event_id, data={"text": self._padding}))
            now = time.time()
            for hook in self._hooks[user]:
                self.owed[event_id, hook.id] = now
        writer.flush(60)


def emit(site: Site, hooks: Sequence[Hook], count: int) -> dict[Delivery, float]:
    """Writes so many events at once."""
    load = Load(site, hooks, rate=1e6, count=count)
    load.start()
    return load.finish()


def produced_before(owed: dict[Delivery, float], when: float) -> set[Delivery]:
    """What is owed for events that were there by then (Unix time)."""
    return {delivery for delivery, produced in owed.items() if produced <= when}


def join(parts: Iterable[dict[Delivery, float]]) -> dict[Delivery, float]:
    """All of it."""
    return dict(itertools.chain.from_iterable(part.items() for part in parts))


def widen(site: FaultSite, receiver: Receiver, hooks: Sequence[Hook]) -> dict[Delivery, float]:
    """Lets endpoints under /hold answer enough that each may have 16 attempts in flight, then holds again."""
    receiver.release()
    users = {hook.user for hook in hooks}
    before = len(receiver.requests())
    owed = emit(site, hooks, 40 * len(users))
    wait_for(lambda: len(receiver.requests()) >= before + len(owed), "what widens the windows arrives")
    wait_for(lambda: site.recorded() >= len(owed), "and its end is known to the daemon")
    receiver.hold()
    return owed
