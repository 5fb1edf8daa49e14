"""Retries as a user sees them: delivery records, the schedule, Retry-After, ends of webhooks."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, Callable

import pytest

from e2e.site import Hook, Site
from tools.receivers import Receiver
from tools.waiting import wait_for

SCHEDULE = ["300ms", "600ms"]


@pytest.fixture
def retrying(make_site: Callable[[], Site]) -> Site:
    """A site whose failed deliveries are tried again soon."""
    site = make_site()
    site.daemon.settings.set("delivery", retry_schedule=SCHEDULE)
    site.daemon.start_ready()
    return site


def attempts(site: Site, hook: Hook) -> list[dict[str, Any]]:
    """The delivery records of a webhook, oldest first."""
    return list(reversed(site.api(hook.user).deliveries(webhookId=hook.id)))


def wait_attempts(site: Site, hook: Hook, count: int, timeout_s: float = 15) -> list[dict[str, Any]]:
    """Waits for so many delivery records."""
    wait_for(lambda: len(attempts(site, hook)) >= count, lambda: f"{count} attempts; {attempts(site, hook)}", timeout_s)
    return attempts(site, hook)


def moment(text: str) -> float:
    """A time of the API in Unix seconds."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def waiting_rows(site: Site) -> int:
    """How many deliveries wait in the queue."""
    return int(site.sql("SELECT count(*) FROM delivery_queue")[0][0])


def test_a_failed_delivery_is_tried_again_by_the_schedule(retrying: Site, receiver: Receiver) -> None:
    hook = retrying.hook("uid_1", receiver.url("/status/500/a"))
    retrying.write([retrying.record("uid_1", id="evt_retry")])
    records = wait_attempts(retrying, hook, 3)
    assert [record["attempt"] for record in records] == [1, 2, 3]
    assert {record["eventId"] for record in records} == {"evt_retry"}
    assert len({record["id"] for record in records}) == 3
    assert records[2]["nextAttemptAt"] is None, "the schedule is used up"
    for record, following, wait_s in zip(records, records[1:], (0.3, 0.6)):
        ended = moment(record["createdAt"]) + record["durationMs"] / 1000
        due = moment(record["nextAttemptAt"])
        assert wait_s * 0.8 - 0.002 <= due - ended <= wait_s * 1.2 + 0.002
        assert moment(following["createdAt"]) >= due
    requests = receiver.requests()
    assert [request.headers["webhook-id"] for request in requests] == ["evt_retry"] * 3
    assert [request.headers["x-docmap-delivery"] for request in requests] == [record["id"] for record in records]
    assert len({request.body for request in requests}) == 1
    wait_for(lambda: waiting_rows(retrying) == 0, "nothing waits any more")
    retrying.wait_settled()


def test_a_retry_that_succeeds_ends_the_schedule(retrying: Site, receiver: Receiver) -> None:
    hook = retrying.hook("uid_1", receiver.url("/hold/0/a"))
    retrying.daemon.stop()
    retrying.daemon.settings.set("delivery", timeout="500ms")
    retrying.daemon.start_ready()
    retrying.write([retrying.record("uid_1")])
    wait_attempts(retrying, hook, 1)
    receiver.release()
    records = wait_attempts(retrying, hook, 2)
    assert [record["status"] for record in records] == ["failed", "success"]
    assert records[0]["error"] == "The operation was aborted due to timeout"
    assert records[1]["nextAttemptAt"] is None
    wait_for(lambda: waiting_rows(retrying) == 0, "nothing waits any more")
    assert len(attempts(retrying, hook)) == 2


def test_410_deactivates_the_webhook_at_once(retrying: Site, receiver: Receiver) -> None:
    hook = retrying.hook("uid_1", receiver.url("/status/410/a"))
    retrying.write([retrying.record("uid_1")])
    (record,) = wait_attempts(retrying, hook, 1)
    assert (record["httpStatus"], record["nextAttemptAt"]) == (410, None)
    wait_for(lambda: retrying.api("uid_1").webhooks() == [], "the webhook is active no longer")
    retrying.write([retrying.record("uid_1")])
    retrying.wait_settled()
    assert len(receiver.requests()) == 1
    assert waiting_rows(retrying) == 0


def test_a_deleted_webhooks_retries_end(make_site: Callable[[], Site], receiver: Receiver) -> None:
    site = make_site()
    site.daemon.settings.set("delivery", retry_schedule=["1h"])
    site.daemon.start_ready()
    hook = site.hook("uid_1", receiver.url("/status/500/a"))
    site.write([site.record("uid_1")])
    (record,) = wait_attempts(site, hook, 1)
    assert moment(record["nextAttemptAt"]) > time.time() + 2800
    assert waiting_rows(site) == 1
    site.wait_settled()
    site.api("uid_1").delete_webhook(hook.id)
    wait_for(lambda: waiting_rows(site) == 0, "what waited for the webhook has ended")
    assert site.sql("SELECT count(*) FROM queued_endpoints") == [["0"]]


def test_a_restart_goes_on_with_the_schedule(make_site: Callable[[], Site], receiver: Receiver) -> None:
    site = make_site()
    site.daemon.settings.set("delivery", retry_schedule=["3s"])
    site.daemon.start_ready()
    hook = site.hook("uid_1", receiver.url("/status/500/a"))
    site.write([site.record("uid_1")])
    (first,) = wait_attempts(site, hook, 1)
    site.daemon.kill()
    site.daemon.start_ready()
    records = wait_attempts(site, hook, 2)
    assert [record["attempt"] for record in records] == [1, 2], "neither reset nor doubled"
    assert moment(records[1]["createdAt"]) >= moment(first["nextAttemptAt"])
    wait_for(lambda: waiting_rows(site) == 0, "nothing waits any more")
    site.wait_settled()
    assert len(receiver.requests()) == 2


def test_a_rate_limit_holds(retrying: Site, receiver: Receiver) -> None:
    hook = retrying.hook("uid_1", receiver.url("/limited"))
    retrying.sql(f"UPDATE webhooks SET max_attempts_per_second = 5 WHERE id = '{hook.id}'")
    retrying.write(retrying.record("uid_1") for _ in range(12))
    wait_for(lambda: len(receiver.requests()) == 12, lambda: f"12 requests, now {len(receiver.requests())}", 20)
    times = sorted(request.time for request in receiver.requests())
    for first, sixth in zip(times, times[6:]):
        assert sixth - first >= 0.95, f"more than five in a second: {times}"
