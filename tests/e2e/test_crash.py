"""Ends of the daemon: kill -9 in the middle of deliveries, and an orderly SIGTERM."""

from __future__ import annotations

import time
from collections import Counter

from e2e.site import Hook, Site
from tools.receivers import Receiver
from tools.waiting import wait_for

HANGING = 500
QUICK = 300
HOOKS_PER_KIND = 20


def make_hooks(site: Site, receiver: Receiver, path: str) -> list[Hook]:
    """One webhook for each of HOOKS_PER_KIND users."""
    users = [f"{path.strip('/').split('/')[0]}_{number}" for number in range(HOOKS_PER_KIND)]
    site.make_keys(users)
    return [site.hook(user, receiver.url(f"{path}/{user}")) for user in users]


def test_kill_9_loses_nothing_and_repeats_nothing_recorded(site: Site, receiver: Receiver) -> None:
    held = make_hooks(site, receiver, "/hold/0")
    quick = make_hooks(site, receiver, "/quick")
    events = [site.record(held[i % HOOKS_PER_KIND].user, id=f"held-{i}") for i in range(HANGING)]
    # The quick ones lie among the hanging ones, in the same partitions: recorded, but above uncommitted offsets.
    for i in range(QUICK):
        events.insert(i * 2, site.record(quick[i % HOOKS_PER_KIND].user, id=f"quick-{i}"))
    site.write(events)
    wait_for(lambda: receiver.held() == HANGING, lambda: f"{HANGING} hang, now {receiver.held()}", 9)
    wait_for(lambda: len(recorded_ids(site)) == QUICK, "the quick ones are recorded")
    recorded = recorded_ids(site)
    site.daemon.kill()

    receiver.release()
    before = len(receiver.requests())
    site.daemon.start_ready()
    site.wait_settled(timeout_s=60)

    after = Counter(request.headers["webhook-id"] for request in receiver.requests()[before:])
    assert set(after) == {f"held-{i}" for i in range(HANGING)}, "what hung is sent again, and nothing that was recorded"
    assert set(after.values()) == {1}
    assert recorded.isdisjoint(after)
    rows = site.sql("SELECT event_id, count(*) FROM deliveries WHERE success GROUP BY event_id")
    assert len(rows) == HANGING + QUICK
    assert {count for _, count in rows} == {"1"}


def recorded_ids(site: Site) -> set[str]:
    """The events that have a delivery record."""
    return {row[0] for row in site.sql("SELECT event_id FROM deliveries")}


def test_sigterm_lets_attempts_end_and_repeats_none(site: Site, receiver: Receiver) -> None:
    hooks = make_hooks(site, receiver, "/delay/2000")
    site.write(site.record(hooks[i % HOOKS_PER_KIND].user, id=f"slow-{i}") for i in range(200))
    wait_for(lambda: len(receiver.requests()) == 200, "all attempts are under way")
    started = time.monotonic()
    assert site.daemon.stop() == 0
    assert time.monotonic() - started < 5, "the attempts took 2 s"
    assert site.reader().lag() == 0
    assert len(recorded_ids(site)) == 200

    site.daemon.start_ready()
    site.write([site.record(hooks[0].user, id="last")])
    wait_for(lambda: len(receiver.requests()) >= 201, "the daemon works again")
    site.wait_settled()
    counts = Counter(request.headers["webhook-id"] for request in receiver.requests())
    assert len(counts) == 201
    assert set(counts.values()) == {1}


def test_sigterm_ends_within_15_seconds_though_receivers_hang(site: Site, receiver: Receiver) -> None:
    hooks = make_hooks(site, receiver, "/hold/0")
    site.write(site.record(hook.user) for hook in hooks)
    wait_for(lambda: receiver.held() == len(hooks), "all hang")
    assert site.daemon.stop(timeout_s=15) == 0
    receiver.release()
    site.daemon.start_ready()
    site.wait_settled()
