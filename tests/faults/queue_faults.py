"""A long durable queue: a million deliveries wait, ten are due."""

from __future__ import annotations

import time

from faults.check import Arrivals
from faults.ground import FaultSite, Ground
from faults.load import emit
from faults.outcome import Outcome, fault
from tools.waiting import DeadlineMissed, wait_for

ROWS = 1_000_000
ENDPOINTS = 10_000
DUE = 10
WATCHED_S = 30.0
FIRST_DUE_S = 2.0
LATEST_S = 1.0
CPU_SHARE = 0.02


@fault("million-waiting", f"{ROWS:,} deliveries wait for {ENDPOINTS:,} endpoints, {DUE} become due")
def million_waiting(ground: Ground) -> Outcome:
    """The ten are delivered within a second of being due, and waiting costs next to nothing."""
    outcome = Outcome(events=DUE)
    receiver = ground.receiver()
    site = ground.site(delivery={"retry_schedule": ["24h"], "max_wait": "1m", "breaker_failures": 1000})
    site.daemon.start_ready()
    hooks = site.make_hooks(receiver.url(f"/gate/due/{number}", "plain") for number in range(DUE))
    arrivals = Arrivals(receiver, hooks)
    # Ten real deliveries whose first attempt fails: they wait for a day.
    receiver.gate("due", 500)
    owed = emit(site, hooks, DUE)
    wait_for(lambda: site.queued() == DUE, lambda: f"{DUE} wait; now {site.queued()}")
    receiver.gate("due", 200)
    code = site.daemon.stop()
    outcome.expect(code == 0, f"the daemon ended with exit code {code}")
    _fill(site)

    site.daemon.start_ready()
    first_due = time.time() + FIRST_DUE_S
    step_s = (WATCHED_S - 2 * FIRST_DUE_S) / DUE
    due = {hook.id: first_due + number * step_s for number, hook in enumerate(hooks)}
    for table in ("delivery_queue", "queued_endpoints"):
        cases = " ".join(f"WHEN '{webhook}' THEN to_timestamp({when:.3f})" for webhook, when in due.items())
        names = ", ".join(f"'{webhook}'" for webhook in due)
        site.sql(f"UPDATE {table} SET due_at = CASE webhook_id {cases} END WHERE webhook_id IN ({names})")
    # The daemon sleeps until what was next when it looked last; a start makes it look.
    site.daemon.stop()
    site.daemon.start_ready()
    used_before, watched_from = site.daemon.cpu_seconds(), time.monotonic()
    time.sleep(max(0.0, max(due.values()) + LATEST_S + 1.0 - time.time()))
    share = (site.daemon.cpu_seconds() - used_before) / (time.monotonic() - watched_from)
    try:
        left = lambda: site.queued() - ROWS  # noqa: E731
        wait_for(lambda: left() == 0, lambda: f"the ten leave the queue; {left()} are left", 10, 0.5)
    except DeadlineMissed as late:
        outcome.problems.append(str(late))
    arrivals.update()
    delays = [arrivals.of[delivery][-1].time - due[delivery[1]] for delivery in owed if len(arrivals.of[delivery]) > 1]
    outcome.lost = len(owed) - len(delays)
    outcome.duplicated = sum(max(0, len(arrivals.of[delivery]) - 2) for delivery in owed)
    if delays:
        outcome.expect(max(delays) <= LATEST_S, f"one came {max(delays):.2f} s late, {LATEST_S:g} s are allowed")
        outcome.expect(min(delays) >= -0.01, f"one came {-min(delays):.3f} s before it was due")
        outcome.notes.append(f"from due to arrival: {min(delays) * 1000:.0f} to {max(delays) * 1000:.0f} ms")
    outcome.expect(share < CPU_SHARE, f"the daemon took {share:.1%} of a core, {CPU_SHARE:.0%} are allowed")
    outcome.notes.append(f"the daemon took {share:.2%} of a core, RSS {site.daemon.resident_bytes() >> 20} MiB")
    return outcome


def _fill(site: FaultSite) -> None:
    """A million copies of a waiting delivery, of endpoints that are never called here, due in a day."""
    site.sql(
        "INSERT INTO webhooks (id, user_id, url, events, secret_sealed) "
        "SELECT 'webhook-f' || lpad(n::text, 11, '0'), 'filler_' || n, 'http://localhost:9/' || n, "
        f"'{{extraction.completed}}', '\\x00' FROM generate_series(1, {ENDPOINTS}) AS n"
    )
    columns = (
        "record_timestamp, kafka_offset, body_hash, partition, attempt, webhook_id, user_id, extraction_id, event, "
        "event_id, topic, traceparent, tracestate, body"
    )
    site.sql(
        f"INSERT INTO delivery_queue (due_at, {columns}) "
        "SELECT now() + interval '1 day' + n * interval '1 millisecond', q.record_timestamp, n, q.body_hash, 0, 2, "
        f"'webhook-f' || lpad((n % {ENDPOINTS} + 1)::text, 11, '0'), 'filler_' || (n % {ENDPOINTS} + 1), "
        "q.extraction_id, q.event, 'filler-' || n, 'filler', '', '', q.body "
        f"FROM generate_series(1, {ROWS}) AS n, (SELECT * FROM delivery_queue LIMIT 1) AS q"
    )
    site.sql(
        "INSERT INTO queued_endpoints (webhook_id, user_id, due_at) "
        "SELECT webhook_id, min(user_id), min(due_at) FROM delivery_queue WHERE webhook_id LIKE 'webhook-f%' "
        "GROUP BY webhook_id ON CONFLICT DO NOTHING"
    )
    site.sql("VACUUM ANALYZE delivery_queue, queued_endpoints")
