"""A database or a broker that is away: said clearly, survived without a restart, nothing lost."""

from __future__ import annotations

import time
from collections import Counter
from typing import Callable

from e2e.site import Hook, Site
from tools.receivers import Receiver
from tools.waiting import wait_for

OUTAGE_S = 30.0
USERS = 10
EVENTS = 200


def make_hooks(site: Site, receiver: Receiver) -> list[Hook]:
    """One webhook for each of a few users."""
    users = [f"uid_{number}" for number in range(USERS)]
    site.make_keys(users)
    return [site.hook(user, receiver.url(f"/{user}")) for user in users]


def emit(site: Site, hooks: list[Hook], name: str) -> set[str]:
    """Writes EVENTS events and returns their ids."""
    ids = [f"{name}-{i}" for i in range(EVENTS)]
    site.write(site.record(hooks[i % USERS].user, id=event_id) for i, event_id in enumerate(ids))
    return set(ids)


def wait_for_events(receiver: Receiver, ids: set[str], timeout_s: float = 60) -> None:
    """Waits until each of the events has arrived."""

    def missing() -> set[str]:
        return ids - {request.headers["webhook-id"] for request in receiver.requests()}

    wait_for(lambda: not missing(), lambda: f"all events arrive; {len(missing())} are missing", timeout_s)


def check_nothing_twice(site: Site, receiver: Receiver, ids: set[str]) -> None:
    """Every event was sent once and recorded once."""
    site.wait_settled(timeout_s=60)
    counts = Counter(request.headers["webhook-id"] for request in receiver.requests())
    assert set(counts) == ids
    assert {event_id: count for event_id, count in counts.items() if count != 1} == {}
    assert sorted(row[0] for row in site.sql("SELECT event_id FROM deliveries WHERE success")) == sorted(ids)


def wait_unready(site: Site, part: str, timeout_s: float = 20) -> None:
    """Waits until /ready says 503 and names the part with a reason, and checks that the log says so too."""

    def named() -> bool:
        site.daemon.process.check_alive()
        status, body = site.daemon.readiness()
        state = body.get("parts", {}).get(part, {})
        return status == 503 and state.get("status") == "unavailable" and bool(state.get("detail"))

    wait_for(named, lambda: f"/ready names {part}: {site.daemon.readiness()}", timeout_s)
    wait_for(
        lambda: any(entry["level"] in ("warning", "error") for entry in site.logged(part)),
        lambda: f"a log line says what is wrong with {part}:\n{site.daemon.log_tail()}",
        timeout_s,
    )


def test_database_away_at_the_start(make_site: Callable[[], Site], receiver: Receiver) -> None:
    site = make_site()
    site.daemon.start_ready()
    hooks = make_hooks(site, receiver)
    site.daemon.stop()
    site.postgres.stop()
    try:
        site.daemon.start()
        wait_unready(site, "postgres")
        ids = emit(site, hooks, "early")
    finally:
        site.postgres.start()
    site.daemon.wait_ready()
    wait_for_events(receiver, ids)
    check_nothing_twice(site, receiver, ids)


def test_broker_away_at_the_start(make_site: Callable[[], Site], receiver: Receiver) -> None:
    site = make_site()
    site.broker.go_away()
    try:
        site.daemon.start()
        wait_unready(site, "kafka")
        hooks = make_hooks(site, receiver)
    finally:
        site.broker.come_back()
    site.daemon.wait_ready(60)
    ids = emit(site, hooks, "later")
    wait_for_events(receiver, ids)
    check_nothing_twice(site, receiver, ids)


def test_database_away_for_30_seconds(site: Site, receiver: Receiver) -> None:
    hooks = make_hooks(site, receiver)
    ids = emit(site, hooks, "before")
    wait_for_events(receiver, ids)
    site.postgres.kill()
    back_at = time.monotonic() + OUTAGE_S
    try:
        ids |= emit(site, hooks, "during")
        wait_unready(site, "postgres")
        time.sleep(max(0.0, back_at - time.monotonic()))
        assert site.daemon.readiness()[0] == 503
    finally:
        site.postgres.start()
    site.daemon.wait_ready()
    ids |= emit(site, hooks, "after")
    wait_for_events(receiver, ids)
    check_nothing_twice(site, receiver, ids)


def test_broker_away_for_30_seconds(site: Site, receiver: Receiver) -> None:
    hooks = make_hooks(site, receiver)
    ids = emit(site, hooks, "before")
    wait_for_events(receiver, ids)
    site.broker.go_away()
    back_at = time.monotonic() + OUTAGE_S
    try:
        wait_unready(site, "kafka")
        time.sleep(max(0.0, back_at - time.monotonic()))
        assert site.daemon.readiness()[0] == 503
    finally:
        site.broker.come_back()
    site.daemon.wait_ready(60)
    ids |= emit(site, hooks, "after")
    wait_for_events(receiver, ids)
    check_nothing_twice(site, receiver, ids)
