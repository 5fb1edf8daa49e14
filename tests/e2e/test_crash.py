"""Ends of the daemon: kill -9 in the middle of deliveries, and an orderly SIGTERM."""

from __future__ import annotations

import time
from collections import Counter

from e2e.site import Hook, Site
from tools.receivers import Receiver
from tools.waiting import wait_for

USERS = 25
HOOKS_PER_USER = 10
EVENTS_PER_USER = 2
"""As many as an endpoint gets at once before it has answered."""
HANGING = USERS * HOOKS_PER_USER * EVENTS_PER_USER
QUICK = 300


def make_hooks(site: Site, receiver: Receiver, path: str, per_user: int = 1) -> list[Hook]:
    """The webhooks of USERS users, one user's after the other's."""
    users = [f"{path.strip('/').split('/')[0]}_{number}" for number in range(USERS)]
    site.make_keys(users)
    return [site.hook(user, receiver.url(f"{path}/{user}/{i}")) for user in users for i in range(per_user)]


def test_kill_9_loses_nothing_and_repeats_nothing_recorded(site: Site, receiver: Receiver) -> None:
    held = make_hooks(site, receiver, "/hold/0", HOOKS_PER_USER)
    quick = make_hooks(site, receiver, "/quick")
    held_users = sorted({hook.user for hook in held})
    events = [site.record(user, id=f"held-{user}-{i}") for i in range(EVENTS_PER_USER) for user in held_users]
    # The quick ones lie among the hanging ones, in the same partitions: recorded, but above uncommitted offsets.
    for i in range(QUICK):
        events.insert(i % len(events), site.record(quick[i % USERS].user, id=f"quick-{i}"))
    site.write(events)
    wait_for(lambda: receiver.held() == HANGING, lambda: f"{HANGING} hang, now {receiver.held()}", 9)
    wait_for(lambda: len(recorded_ids(site)) == QUICK, "the quick ones are recorded")
    recorded = recorded_ids(site)
    site.daemon.kill()

    receiver.release()
    before = len(receiver.requests())
    site.daemon.start_ready()
    site.wait_settled(timeout_s=60)

    after = Counter((request.headers["webhook-id"], request.path) for request in receiver.requests()[before:])
    owed = {(f"held-{hook.user}-{i}", hook.path) for hook in held for i in range(EVENTS_PER_USER)}
    assert set(after) == owed, "what hung is sent again, and nothing that was recorded"
    assert set(after.values()) == {1}
    assert recorded.isdisjoint(event_id for event_id, _ in after)
    rows = site.sql("SELECT event_id, webhook_id, count(*) FROM deliveries WHERE success GROUP BY 1, 2")
    assert len(rows) == HANGING + QUICK
    assert {count for _, _, count in rows} == {"1"}


def recorded_ids(site: Site) -> set[str]:
    """The events that have a delivery record."""
    return {row[0] for row in site.sql("SELECT event_id FROM deliveries")}


def test_sigterm_lets_attempts_end_and_repeats_none(site: Site, receiver: Receiver) -> None:
    hooks = make_hooks(site, receiver, "/delay/2000", HOOKS_PER_USER)
    users = sorted({hook.user for hook in hooks})
    site.write(site.record(user, id=f"slow-{user}") for user in users)
    wait_for(lambda: len(receiver.requests()) == len(hooks), "all attempts are under way")
    started = time.monotonic()
    assert site.daemon.stop() == 0
    assert time.monotonic() - started < 5, "the attempts took 2 s"
    assert site.reader().lag() == 0
    assert site.sql("SELECT count(*) FROM deliveries") == [[str(len(hooks))]]

    site.daemon.start_ready()
    site.write([site.record(hooks[0].user, id="last")])
    wait_for(lambda: len(receiver.requests()) >= len(hooks) + HOOKS_PER_USER, "the daemon works again")
    site.wait_settled()
    counts = Counter((request.headers["webhook-id"], request.path) for request in receiver.requests())
    assert len(counts) == len(hooks) + HOOKS_PER_USER
    assert set(counts.values()) == {1}


def test_sigterm_ends_within_15_seconds_though_receivers_hang(site: Site, receiver: Receiver) -> None:
    hooks = make_hooks(site, receiver, "/hold/0")
    site.write(site.record(hook.user) for hook in hooks)
    wait_for(lambda: receiver.held() == len(hooks), "all hang")
    assert site.daemon.stop(timeout_s=15) == 0
    receiver.release()
    site.daemon.start_ready()
    site.wait_settled()
