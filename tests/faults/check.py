"""Compares what the receivers got and what PostgreSQL holds with what was owed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Callable, Iterable, Mapping, Sequence

from e2e.site import Hook
from faults.ground import FaultSite
from faults.load import Delivery, produced_before
from faults.outcome import Outcome
from receivers.journal import Request
from tools.receivers import Receiver
from tools.waiting import DeadlineMissed, wait_for

MILLISECOND_S = 0.001
SHOWN = 3
"""How many examples a message names."""


@dataclass(frozen=True)
class Row:
    """One row of `deliveries`."""

    delivery: Delivery
    attempt: int
    success: bool
    id: str
    committed_at: float
    """Unix time of the transaction's commit."""


class Arrivals:
    """The requests at a receiver by what they deliver. `update` reads on."""

    def __init__(self, receiver: Receiver, hooks: Sequence[Hook]) -> None:
        self._receiver = receiver
        self._ids = {hook.path: hook.id for hook in hooks}
        self._read = 0
        self.of: dict[Delivery, list[Request]] = defaultdict(list)

    def update(self) -> None:
        """Takes in what has arrived since."""
        requests = self._receiver.requests()
        for request in requests[self._read :]:
            if request.path in self._ids:
                self.of[request.headers["webhook-id"], self._ids[request.path]].append(request)
        self._read = len(requests)

    def missing(self, owed: Iterable[Delivery]) -> set[Delivery]:
        """What has not arrived so far."""
        self.update()
        return set(owed) - self.of.keys()

    def wait(self, owed: Mapping[Delivery, float] | set[Delivery], timeout_s: float) -> None:
        """Waits until all of it has arrived; raises DeadlineMissed."""
        wait_for(
            lambda: not self.missing(owed),
            lambda: f"{len(owed)} deliveries arrive; {len(self.missing(owed))} are missing",
            timeout_s,
            interval_s=0.1,
        )

    def wait_count(self, count: int, timeout_s: float = 30.0) -> None:
        """Waits until so many requests have arrived."""
        wait_for(lambda: self.count() >= count, lambda: f"{count} arrive; {self.count()} have", timeout_s, 0.05)

    def count(self) -> int:
        """How many requests have arrived so far."""
        self.update()
        return sum(len(requests) for requests in self.of.values())


def begun_at(request: Request) -> float:
    """When the daemon began this attempt (Unix time): its id starts with that, in milliseconds."""
    return int(request.headers["x-docmap-delivery"][:9], 32) * MILLISECOND_S


def rows_of(site: FaultSite) -> list[Row]:
    """The recorded attempts with the time of their commit."""
    found = site.sql(
        "SELECT event_id, webhook_id, attempt, success, id, extract(epoch FROM pg_xact_commit_timestamp(xmin)) "
        "FROM deliveries"
    )
    return [
        Row((event_id, webhook_id), int(attempt), success == "t", row_id, float(committed_at))
        for event_id, webhook_id, attempt, success, row_id, committed_at in found
    ]


def wait_whole(site: FaultSite, arrivals: Arrivals, owed: Mapping[Delivery, float], timeout_s: float = 60.0) -> str:
    """Waits until everything has arrived, nothing is queued and all offsets are committed. Returns what is amiss."""
    try:
        arrivals.wait(owed, timeout_s)
        wait_for(lambda: site.queued() == 0, lambda: f"the queue is empty; {site.queued()} rows wait", timeout_s, 0.2)
        wait_for(lambda: site.reader().lag() == 0, lambda: f"no lag; it is {site.reader().lag()}", timeout_s, 0.1)
    except DeadlineMissed as late:
        return str(late)
    return ""


@dataclass
class Findings:
    """The raw figures of a comparison, for bounds of a fault's own."""

    rows: list[Row]
    unrecorded: list[Request]
    """Requests whose attempt was never recorded: cut off by the fault."""
    repeated: list[Request]
    """Requests that began though the delivery's success, or the same attempt, had been recorded."""


def compare(
    site: FaultSite,
    arrivals: Arrivals,
    owed: Mapping[Delivery, float],
    outcome: Outcome,
    *,
    grace_s: float = 0.005,
    one_owner: bool = True,
) -> Findings:
    """Fills in events, lost and duplicated, and notes what must never be.

    `grace_s`: how much later than the commit of its success an attempt may begin; covers what was in flight when
    another instance took over. `one_owner`: nothing can be under way in two instances, so each success is recorded
    once, and a duplicate is only ever a second request for an attempt that was not recorded.
    """
    arrivals.update()
    rows = rows_of(site)
    by_delivery: dict[Delivery, list[Row]] = defaultdict(list)
    for row in rows:
        by_delivery[row.delivery].append(row)
    succeeded = {row.delivery for row in rows if row.success}
    row_of = {row.id: row for row in rows}

    lost = {delivery for delivery in owed if delivery not in arrivals.of or delivery not in succeeded}
    outcome.events = len(owed)
    outcome.lost = len(lost)
    if lost:
        outcome.problems.append(f"lost: {len(lost)}, such as {sorted(lost)[:SHOWN]}")

    unrecorded: list[Request] = []
    repeated: list[Request] = []
    for delivery, requests in arrivals.of.items():
        attempts = {row.attempt for row in by_delivery[delivery]}
        outcome.duplicated += max(0, len(requests) - max(1, len(attempts)))
        for request in requests:
            row = row_of.get(request.headers["x-docmap-delivery"])
            if row is None:
                unrecorded.append(request)
            if begun_at(request) > _recorded_at(by_delivery[delivery], row) + grace_s:
                repeated.append(request)
    if repeated:
        examples = [(each.headers["webhook-id"], each.headers["x-docmap-delivery"]) for each in repeated[:SHOWN]]
        outcome.problems.append(f"sent again though recorded: {len(repeated)}, such as {examples}")
    if one_owner:
        _check_one_owner(by_delivery, outcome, len(unrecorded))
    return Findings(rows, unrecorded, repeated)


def _recorded_at(rows: Iterable[Row], row: Row | None) -> float:
    """From when on an attempt was not to begin any more: its delivery had succeeded, or this attempt was made."""
    ends = (each.committed_at for each in rows if each.success or (row and row.attempt == each.attempt and row != each))
    return min(ends, default=float("inf"))


def _check_one_owner(by_delivery: Mapping[Delivery, list[Row]], outcome: Outcome, unrecorded: int) -> None:
    twice = [
        delivery
        for delivery, rows in by_delivery.items()
        if len({row.attempt for row in rows}) != len(rows) or sum(row.success for row in rows) > 1
    ]
    outcome.expect(not twice, f"attempts recorded twice: {len(twice)}, such as {twice[:SHOWN]}")
    outcome.expect(
        outcome.duplicated <= unrecorded,
        f"{outcome.duplicated} duplicates, but only {unrecorded} attempts were cut off before they were recorded",
    )


def recovery_s(arrivals: Arrivals, rows: Iterable[Row], owed: set[Delivery], mended_at: float) -> float:
    """How long after `mended_at` the last of `owed` had arrived and was recorded."""
    arrived = [requests[0].time for delivery, requests in arrivals.of.items() if delivery in owed]
    recorded: dict[Delivery, float] = {}
    for row in rows:
        if row.success and row.delivery in owed:
            recorded[row.delivery] = min(row.committed_at, recorded.get(row.delivery, row.committed_at))
    return max(0.0, max([*arrived, *recorded.values()], default=mended_at) - mended_at)


def finish(
    site: FaultSite,
    arrivals: Arrivals,
    owed: Mapping[Delivery, float],
    outcome: Outcome,
    *,
    mended_at: float | None = None,
    timeout_s: float = 60.0,
    before_compare: Callable[[], None] | None = None,
    grace_s: float = 0.005,
    one_owner: bool = True,
) -> Findings:
    """The end that most faults share: wait for the whole, compare, time the recovery."""
    amiss = wait_whole(site, arrivals, owed, timeout_s)
    outcome.expect(not amiss, amiss)
    if before_compare is not None:
        before_compare()
    findings = compare(site, arrivals, owed, outcome, grace_s=grace_s, one_owner=one_owner)
    if mended_at is not None:
        outcome.recovery_s = recovery_s(arrivals, findings.rows, produced_before(owed, mended_at), mended_at)
    return findings
