"""The daemon's own ends: kill -9 at random and at chosen moments, and SIGTERM."""

from __future__ import annotations

import random
import time
from bisect import bisect_left
from collections import Counter

from faults.check import Arrivals, begun_at, finish
from faults.ground import Ground
from faults.load import Load, emit, join, widen
from faults.outcome import Outcome, fault
from tools.waiting import wait_for

KILLS = 30
EVENTS_PER_LIFE = 1000
SEED = 20250120
MAX_IN_FLIGHT = 256
# One batch may be on its way to the database on each writer's connection while as many attempts are under way.
WRITERS = 2
BATCH_ROWS = 500


@fault("kill-daemon", f"kill -9 of the daemon at {KILLS} random moments during {KILLS * EVENTS_PER_LIFE} events")
def kill_daemon(ground: Ground) -> Outcome:
    """At each kill only what was in flight may come again."""
    outcome = Outcome()
    random_source = random.Random(SEED)
    receiver = ground.receiver()
    site = ground.site(
        delivery={
            "max_in_flight": MAX_IN_FLIGHT,
            "record_batch_rows": BATCH_ROWS,
            "retry_schedule": ["200ms"] * 10,
            "breaker_failures": 1000000,
            "timeout": "2s",
        },
        queue={"lease": "4s"},
        postgres={"writer_connections": WRITERS},
        kafka={"commit_interval": "200ms"},
    )
    # The shortest session that the broker allows: a new life gets its partitions only when the last one's is over.
    site.daemon.settings.set("kafka.properties", **{"session.timeout.ms": "1000", "heartbeat.interval.ms": "250"})
    site.daemon.start_ready()
    # At some endpoints each first attempt fails: their deliveries go through the durable queue.
    kinds = ["flaky/one" if number % 6 == 0 else "delay/25" for number in range(24)]
    hooks = site.make_hooks(receiver.url(f"/{kind}/{number}", "plain") for number, kind in enumerate(kinds))
    arrivals = Arrivals(receiver, hooks)

    loads = []
    kills = []
    idle_kills = 0
    for _ in range(KILLS):
        before = arrivals.count()
        loads.append(Load(site, hooks, rate=2500, count=EVENTS_PER_LIFE))
        loads[-1].start()
        time.sleep(random_source.uniform(0.3, 2.8))
        kills.append(time.time())
        site.daemon.kill()
        idle_kills += arrivals.count() == before
        site.daemon.start()
    owed = join([load.finish() for load in loads])
    site.daemon.wait_ready()
    findings = finish(site, arrivals, owed, outcome, mended_at=kills[-1])

    # An attempt that was never recorded began before the kill that cut it off.
    cut_off = Counter(bisect_left(kills, begun_at(request)) for request in findings.unrecorded)
    outcome.expect(len(kills) not in cut_off, f"{cut_off[len(kills)]} attempts after the last kill were not recorded")
    bound = MAX_IN_FLIGHT + WRITERS * BATCH_ROWS
    most = max(cut_off.values(), default=0)
    outcome.expect(most <= bound, f"{most} deliveries cut off by one kill, at most {bound} can be in flight")
    outcome.expect(sum(cut_off.values()) > 0, "no kill hit a delivery in flight: the test proves nothing")
    outcome.notes.append(
        f"seed {SEED}; {len(kills)} kills, {idle_kills} of them before any delivery of that life; in flight at the "
        f"kills: {sum(cut_off.values())} in all, {most} at most"
    )
    return outcome


@fault("kill-hanging", "kill -9 with one delivery hanging, 5,000 done above it, 3 of 5 webhooks of some events done")
def kill_hanging(ground: Ground) -> Outcome:
    """What is recorded above the committed offset is not sent again, webhook by webhook."""
    outcome = Outcome()
    receiver = ground.receiver()
    site = ground.site(delivery={"timeout": "30s", "max_wait": "1m"}, queue={"lease": "60s"})
    site.daemon.start_ready()
    [hanging] = site.make_hooks([receiver.url("/hold/0/one", "plain")], "hanging")
    quick = site.make_hooks((receiver.url(f"/quick/{number}", "plain") for number in range(8)), "quick")
    paths = [f"/{'hold/0' if number < 2 else 'done'}/five{number}" for number in range(5)]
    five = [site.hook("five", receiver.url(path, "plain")) for path in paths]
    hooks = [hanging, *quick, *five]
    arrivals = Arrivals(receiver, hooks)

    widened = widen(site, receiver, five)
    parts = [emit(site, [hanging], 1)]
    wait_for(lambda: receiver.held() == 1, "the one hangs")
    parts += [emit(site, five, 10), emit(site, quick, 5000)]
    ending = {hook.id for hook in (*quick, *five[2:])}
    done = {delivery for delivery in join(parts) if delivery[1] in ending} | widened.keys()
    wait_for(
        lambda: site.recorded() == len(done) and receiver.held() == 21,
        lambda: f"{site.recorded()} of {len(done)} recorded, {receiver.held()} of 21 hang",
        25,
    )
    killed_at = time.time()
    site.daemon.kill()
    receiver.release()
    site.daemon.start_ready()
    owed = join([*parts, widened])
    finish(site, arrivals, owed, outcome, mended_at=killed_at)
    again = {delivery for delivery, requests in arrivals.of.items() if len(requests) > 1}
    outcome.expect(not again & done, f"{len(again & done)} recorded deliveries were sent again")
    outcome.expect(len(again) == 21, f"{len(again)} deliveries came twice, 21 hung")
    return outcome


@fault("kill-at-steps", "kill -9 between the answer and the database's commit, and between that and Kafka's")
def kill_at_steps(ground: Ground) -> Outcome:
    """Unrecorded answers come again; recorded ones never, though no offset was committed."""
    outcome = Outcome()
    receiver = ground.receiver()
    site = ground.site(kafka={"commit_interval": "1m"})
    site.daemon.start_ready()
    hooks = site.make_hooks(receiver.url(f"/steps/{number}", "plain") for number in range(8))
    arrivals = Arrivals(receiver, hooks)

    # Recorded, but nothing is committed to Kafka for a minute.
    recorded = emit(site, hooks, 500)
    arrivals.wait(recorded, 30)
    wait_for(lambda: site.recorded() == 500, "all are recorded")
    committed = sum(site.reader().committed().values())
    outcome.expect(committed == 0, f"{committed} offsets were committed within a minute: the step was missed")
    site.daemon.kill()
    site.daemon.start_ready()

    # Answered, but the table is locked: nothing can be recorded.
    with site.session() as session:
        session.execute("BEGIN")
        session.execute("LOCK TABLE deliveries IN SHARE ROW EXCLUSIVE MODE")
        unrecorded = emit(site, hooks, 200)
        arrivals.wait(unrecorded, 30)
        killed_at = time.time()
        site.daemon.kill()
        # What it had sent to the server before it died is still waiting for the lock there.
        site.end_backends(but=session)
        session.execute("ROLLBACK")
    site.daemon.settings.set("kafka", commit_interval="200ms")
    site.daemon.start_ready()
    finish(site, arrivals, {**recorded, **unrecorded}, outcome, mended_at=killed_at)
    twice = {delivery for delivery, requests in arrivals.of.items() if len(requests) > 1}
    outcome.expect(not twice & recorded.keys(), f"{len(twice & recorded.keys())} recorded deliveries were sent again")
    outcome.expect(len(twice) == len(unrecorded), f"{len(twice)} came twice, {len(unrecorded)} were unrecorded")
    return outcome


@fault("sigterm", "SIGTERM under load and restart, three times")
def sigterm(ground: Ground) -> Outcome:
    """An orderly end leaves nothing in flight: no duplicates at all."""
    outcome = Outcome()
    receiver = ground.receiver()
    site = ground.site()
    site.daemon.start_ready()
    hooks = site.make_hooks(receiver.url(f"/delay/100/{number}", "plain") for number in range(20))
    arrivals = Arrivals(receiver, hooks)
    load = Load(site, hooks, rate=600)
    load.start()
    for _ in range(3):
        seen = arrivals.count()
        wait_for(lambda: arrivals.count() > seen + 500, "deliveries flow", 30)
        code = site.daemon.stop()
        outcome.expect(code == 0, f"it ended with exit code {code}")
        restarted_at = time.time()
        site.daemon.start_ready()
    load.stop()
    finish(site, arrivals, load.finish(), outcome, mended_at=restarted_at)
    outcome.expect(outcome.duplicated == 0, f"{outcome.duplicated} duplicates")
    return outcome
