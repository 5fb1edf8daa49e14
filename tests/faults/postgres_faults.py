"""PostgreSQL's ends: killed, away, cut connections, a full disk, aborted transactions."""

from __future__ import annotations

import os
import time

from faults.check import Arrivals, finish
from faults.disk import SmallDisk
from faults.ground import FaultSite, Ground, Session
from faults.load import Load
from faults.outcome import Outcome, fault
from faults.proxy import CuttingProxy
from tools.receivers import Receiver
from tools.waiting import wait_for

AWAY_S = float(os.environ.get("FAULTS_AWAY_S", "20"))
"""How long PostgreSQL is away; FAULTS_AWAY_S=60 makes it a minute."""
CUTTING_S = 6.0
RATE = 500
SEED = 20250121


def start(ground: Ground, receiver: Receiver, site: FaultSite) -> tuple[Load, Arrivals]:
    """A daemon under load, with enough seen to know that it works."""
    site.daemon.start_ready()
    hooks = site.make_hooks(receiver.url(f"/delay/20/{number}", "plain") for number in range(20))
    arrivals = Arrivals(receiver, hooks)
    load = Load(site, hooks, rate=RATE)
    load.start()
    arrivals.wait_count(RATE)
    return load, arrivals


@fault("kill-postgres", "PostgreSQL killed (as pg_ctl stop -m immediate) and started again under load, three times")
def kill_postgres(ground: Ground) -> Outcome:
    """The batches under way are written again, the same: no second request, no second row."""
    outcome = Outcome()
    receiver = ground.receiver()
    site = ground.site()
    load, arrivals = start(ground, receiver, site)
    for _ in range(3):
        ground.postgres.kill()
        ground.postgres.start()
        mended_at = time.time()
        arrivals.wait_count(arrivals.count() + RATE, timeout_s=30)
    load.stop()
    finish(site, arrivals, load.finish(), outcome, mended_at=mended_at)
    outcome.expect(outcome.duplicated == 0, f"{outcome.duplicated} duplicates")
    return outcome


@fault("postgres-away", f"PostgreSQL away for {AWAY_S:g} s under load")
def postgres_away(ground: Ground) -> Outcome:
    """Nothing is committed to Kafka meanwhile, and nothing is sent a second time when it returns."""
    outcome = Outcome()
    receiver = ground.receiver()
    site = ground.site()
    load, arrivals = start(ground, receiver, site)
    ground.postgres.kill()
    try:
        back_at = time.monotonic() + AWAY_S
        # What was stored until then may be committed for one interval more.
        time.sleep(2.0)
        committed = site.reader().committed()
        time.sleep(max(0.0, back_at - time.monotonic()))
        later = site.reader().committed()
        outcome.expect(committed == later, f"offsets were committed without a database: {committed}, then {later}")
        resident = site.daemon.resident_bytes()
    finally:
        ground.postgres.start()
    mended_at = time.time()
    load.stop()
    finish(site, arrivals, load.finish(), outcome, mended_at=mended_at)
    outcome.expect(outcome.duplicated == 0, f"{outcome.duplicated} duplicates")
    outcome.notes.append(f"RSS at the end of the outage {resident >> 20} MiB")
    return outcome


@fault("cut-commit", f"connections cut around their commits for {CUTTING_S:g} s, then ended by the server for as long")
def cut_commit(ground: Ground) -> Outcome:
    """Whether a lost connection's commit took place is unknown; writing it again is harmless."""
    outcome = Outcome()
    receiver = ground.receiver()
    proxy = CuttingProxy(ground.postgres.port, SEED)
    ground.cleanup.callback(proxy.stop)
    site = ground.site()
    direct = f"127.0.0.1:{ground.postgres.port}"
    url = ground.postgres.url(site.database).replace(direct, f"127.0.0.1:{proxy.port}")
    site.daemon.settings.set("postgres", url=url)
    load, arrivals = start(ground, receiver, site)
    proxy.cutting = True
    time.sleep(CUTTING_S)
    proxy.cutting = False
    terminated = 0
    until = time.monotonic() + CUTTING_S
    while time.monotonic() < until:
        terminated += site.end_backends()
        time.sleep(0.2)
    mended_at = time.time()
    load.stop()
    finish(site, arrivals, load.finish(), outcome, mended_at=mended_at)
    outcome.expect(outcome.duplicated == 0, f"{outcome.duplicated} duplicates")
    cuts = (proxy.cut_after_sending, proxy.cut_before_answer)
    outcome.expect(min(*cuts, terminated) > 0, f"not every kind of cut happened: {cuts}, terminated {terminated}")
    outcome.notes.append(f"cut after sending {cuts[0]}, before the answer {cuts[1]}, terminated backends {terminated}")
    return outcome


@fault("disk-full", "no space left on the disk of deliveries and delivery_queue for 5 s under load")
def disk_full(ground: Ground) -> Outcome:
    """Inserts fail, are tried again, and succeed when there is space."""
    outcome = Outcome()
    receiver = ground.receiver()
    with SmallDisk(ground.postgres) as disk:
        site = ground.site()
        disk.take_tables(site)
        load, arrivals = start(ground, receiver, site)
        disk.fill()
        wait_for(lambda: site.logged("No space left on device"), "the log says that the disk is full", 30)
        time.sleep(1.5)
        committed = site.reader().committed()
        time.sleep(3.5)
        later = site.reader().committed()
        outcome.expect(committed == later, f"offsets were committed, nothing is stored: {committed}, then {later}")
        disk.empty()
        mended_at = time.time()
        arrivals.wait_count(arrivals.count() + RATE, timeout_s=30)
        load.stop()
        finish(site, arrivals, load.finish(), outcome, mended_at=mended_at)
        outcome.expect(outcome.duplicated == 0, f"{outcome.duplicated} duplicates")
        site.close()
    return outcome


@fault("deadlock", "the daemon's transactions aborted by deadlocks with a session that locks in the other order")
def deadlock(ground: Ground) -> Outcome:
    """A transaction that is the victim is run again."""
    outcome = Outcome()
    receiver = ground.receiver()
    site = ground.site(delivery={"retry_schedule": ["1s"] * 20, "breaker_failures": 1000000})
    # Each side looks for a deadlock once, so long after it began to wait. The daemon's looks first, and is the victim.
    site.sql(f"ALTER DATABASE \"{site.database}\" SET deadlock_timeout = '400ms'")
    site.daemon.start_ready()
    paths = [f"/gate/flaky/{number}" for number in range(10)] + [f"/delay/10/{number}" for number in range(10)]
    hooks = site.make_hooks(receiver.url(path, "plain") for path in paths)
    arrivals = Arrivals(receiver, hooks)
    # Failed attempts write a row and queue the next try in one transaction: two tables to lock.
    receiver.gate("flaky", 500)
    load = Load(site, hooks, rate=300)
    load.start()
    arrivals.wait_count(200)
    tables = ["delivery_queue", "deliveries"]
    with site.session() as session:
        session.execute("SET deadlock_timeout = '20s'")
        for round_number in range(12):
            _cross(site, session, tables if round_number % 2 == 0 else tables[::-1])
    receiver.gate("flaky", 200)
    mended_at = time.time()
    load.stop()
    finish(site, arrivals, load.finish(), outcome, mended_at=mended_at)
    deadlocks = int(site.sql("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")[0][0])
    outcome.expect(deadlocks > 0, "no deadlock came about: the test proves nothing")
    outcome.expect(outcome.duplicated == 0, f"{outcome.duplicated} duplicates")
    outcome.notes.append(f"{deadlocks} deadlocks")
    return outcome


def _is_waited_for(site: FaultSite) -> bool:
    waiting = "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    return site.sql(f"SELECT count(*) > 0 FROM {waiting}") == [["t"]]


def _cross(site: FaultSite, session: Session, tables: list[str]) -> None:
    """Locks one table, lets the daemon come to wait for it, and asks for the other."""
    session.execute("BEGIN")
    session.execute(f"LOCK TABLE {tables[0]} IN EXCLUSIVE MODE")
    wait_for(lambda: _is_waited_for(site), "the daemon waits for a lock", 10)
    session.execute(f"LOCK TABLE {tables[1]} IN EXCLUSIVE MODE")
    session.execute("ROLLBACK")


@fault("serialization", "transactions aborted because rows changed under them (database set to REPEATABLE READ)")
def serialization(ground: Ground) -> Outcome:
    """An operator may have set another isolation level: what fails to serialize is run again."""
    outcome = Outcome()
    receiver = ground.receiver()
    site = ground.site(delivery={"retry_schedule": ["300ms"] * 20, "breaker_failures": 1000000})
    site.sql(f"ALTER DATABASE \"{site.database}\" SET default_transaction_isolation = 'repeatable read'")
    site.daemon.start_ready()
    hooks = site.make_hooks(receiver.url(f"/flaky/one/{number}", "plain") for number in range(10))
    arrivals = Arrivals(receiver, hooks)
    load = Load(site, hooks, rate=300)
    load.start()
    arrivals.wait_count(200)
    with site.session() as session:
        session.execute("SET default_transaction_isolation = 'read committed'")
        for _ in range(25):
            _touch_queue(site, session)
    mended_at = time.time()
    load.stop()
    finish(site, arrivals, load.finish(), outcome, mended_at=mended_at)
    aborted = ground.postgres.log().read_text(errors="replace").count("could not serialize access")
    outcome.expect(aborted > 0, "no transaction failed to serialize: the test proves nothing")
    outcome.expect(outcome.duplicated == 0, f"{outcome.duplicated} duplicates")
    outcome.notes.append(f"{aborted} transactions failed to serialize")
    return outcome


def _touch_queue(site: FaultSite, session: Session) -> None:
    """Changes all rows of the queue to what they are: whoever comes to wait for them finds them changed."""
    import psycopg2

    try:
        session.execute("BEGIN")
        session.execute("UPDATE queued_endpoints SET failures = failures")
        session.execute("UPDATE delivery_queue SET traceparent = traceparent")
        wait_for(lambda: _is_waited_for(site), "the daemon waits for a row", 10)
        session.execute("COMMIT")
    except psycopg2.errors.DeadlockDetected:
        session.execute("ROLLBACK")
