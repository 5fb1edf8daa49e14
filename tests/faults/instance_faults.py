"""Several instances in one group: one killed, one stopped past its session and continued, some added."""

from __future__ import annotations

import signal
import time

from faults.check import Arrivals, finish
from faults.ground import Ground
from faults.load import Load, emit, widen
from faults.outcome import Outcome, fault
from tools.daemon import Daemon
from tools.waiting import steady, wait_for

IN_FLIGHT_PER_ENDPOINT = 8
ENDPOINTS = 16
TAKEOVER_S = 1.0
"""From the moment at which a new owner has read what is recorded until it has sent what it read of Kafka before."""
STOPPED_S = 6.0
BURST = 1000
# Membership ends at the session's end where nothing is heard of a member, at this interval where it only hangs.
SHORT_MEMBERSHIP = {"session.timeout.ms": "2000", "heartbeat.interval.ms": "300", "max.poll.interval.ms": "2000"}


def wait_busy(daemon: Daemon, events: int = 50, timeout_s: float = 20.0) -> None:
    """Waits until this instance has made some deliveries."""
    before = daemon.metric("docmap_attempts_succeeded_total")
    wait_for(
        lambda: daemon.metric("docmap_attempts_succeeded_total") >= before + events,
        lambda: f"{daemon.log.parent.name} makes {events} deliveries; its log ends:\n{daemon.log_tail()}",
        timeout_s,
        0.1,
    )


@fault("instances", "two, then three instances; one killed, one stopped past its session and continued, one added")
def instances(ground: Ground) -> Outcome:
    """Rebalances under load: what one instance recorded no other sends again."""
    outcome = Outcome()
    receiver = ground.receiver()
    site = ground.site(
        kafka={"commit_interval": "500ms"},
        delivery={
            "max_in_flight_per_endpoint": IN_FLIGHT_PER_ENDPOINT,
            "timeout": "1s",
            "retry_schedule": ["300ms"] * 10,
            "breaker_failures": 1000000,
        },
        queue={"lease": "2s"},
    )
    site.daemon.settings.set("kafka.properties", **SHORT_MEMBERSHIP)
    first, second, third = site.daemon, site.add_daemon(), site.add_daemon()
    first.start_ready()
    # At some endpoints each first attempt fails, so that the instances have claims of the durable queue to lose too.
    kinds = ["flaky/one" if number % 4 == 0 else "delay/100" for number in range(ENDPOINTS)]
    hooks = site.make_hooks(receiver.url(f"/{kind}/{number}", "plain") for number, kind in enumerate(kinds))
    arrivals = Arrivals(receiver, hooks)
    load = Load(site, hooks, rate=400)
    load.start()
    second.start_ready()
    for daemon in (first, second):
        wait_busy(daemon)

    second.kill()
    third.start_ready()
    wait_busy(third)
    second.start_ready()
    for daemon in (first, second, third):
        wait_busy(daemon)

    # Deliveries wait in the memory of the one that is stopped. The others take its partitions over and send them.
    burst = emit(site, hooks, BURST)
    arrivals.wait_count(arrivals.count() + BURST // 20)
    stopped_at = time.time()
    third.process.send(signal.SIGSTOP)
    time.sleep(STOPPED_S)
    missing = len(arrivals.missing(burst))
    outcome.expect(missing == 0, f"{missing} deliveries were not taken over within {STOPPED_S:g} s")
    third.process.send(signal.SIGCONT)
    mended_at = time.time()
    for daemon in (first, second, third):
        wait_busy(daemon)
    load.stop()
    findings = finish(
        site, arrivals, {**load.finish(), **burst}, outcome, mended_at=mended_at, grace_s=TAKEOVER_S, one_owner=False
    )
    # One kill, one stop, three joins: at each at most everything in flight at one instance's endpoints comes again.
    bound = 5 * ENDPOINTS * IN_FLIGHT_PER_ENDPOINT
    outcome.expect(outcome.duplicated <= bound, f"{outcome.duplicated} duplicates, {bound} can have been in flight")
    lost = [entry for entry in third.log_entries() if "without waiting" in entry["message"]]
    outcome.expect(bool(lost), "the stopped instance did not notice that it had lost its partitions")
    still = [entry for entry in third.log_entries() if "stood still" in entry["message"]]
    outcome.expect(bool(still), "the stopped instance does not say that it stood still")
    zombie = [each for each in findings.repeated if stopped_at <= each.time]
    outcome.notes.append(f"sent again though recorded, after the stop: {len(zombie)}")
    return outcome


@fault("revoke-reordered", "a partition revoked and assigned back while old work is in flight and newer work is done")
def revoke_reordered(ground: Ground) -> Outcome:
    """What ended above a hanging delivery is not sent again; the hanging one's late end commits nothing wrong."""
    outcome = Outcome()
    receiver = ground.receiver()
    site = ground.site(delivery={"timeout": "30s", "max_wait": "1m"}, queue={"lease": "60s"})
    site.daemon.start_ready()
    hanging = site.make_hooks((receiver.url(f"/hold/0/{number}", "plain") for number in range(8)), "hanging")
    quick = site.make_hooks((receiver.url(f"/quick/{number}", "plain") for number in range(8)), "quick")
    arrivals = Arrivals(receiver, [*hanging, *quick])
    widened = widen(site, receiver, hanging)
    held = emit(site, hanging, 16)
    wait_for(lambda: receiver.held() == len(held), lambda: f"{len(held)} hang; now {receiver.held()}")
    done = {**widened, **emit(site, quick, 400)}
    wait_for(lambda: site.recorded() == len(done), lambda: f"{len(done)} are recorded; now {site.recorded()}")

    # The second instance takes half of the partitions and sends what hangs there, then leaves them to the first.
    other = site.add_daemon()
    other.start_ready()
    wait_for(lambda: receiver.held() > len(held), "the new owner of a partition sends what hangs there", 20)
    wait_for(steady(receiver.held), "nothing more comes to hang", 20, 0.1)
    in_flight = receiver.held()
    other.kill()
    wait_for(lambda: receiver.held() != in_flight, "its partitions come back", 20)
    wait_for(lambda: arrivals.count() >= len(done) + in_flight + 1, "what hung there comes again", 20)
    low = site.reader().committed()
    receiver.release()
    mended_at = time.time()
    findings = finish(
        site, arrivals, {**held, **done}, outcome, mended_at=mended_at, grace_s=TAKEOVER_S, one_owner=False
    )
    again = {delivery for delivery, requests in arrivals.of.items() if len(requests) > 1}
    outcome.expect(not again & done.keys(), f"{len(again & done.keys())} recorded deliveries were sent again")
    outcome.notes.append(
        f"committed while {len(held)} hung: {sum(low.values())}; unrecorded requests {len(findings.unrecorded)}"
    )
    return outcome


@fault("fenced-instance", "a second instance under the same static id (group.instance.id): the first is fenced")
def fenced_instance(ground: Ground) -> Outcome:
    """The fenced one ends with an error, the other goes on; nothing recorded is sent again."""
    outcome = Outcome()
    receiver = ground.receiver()
    site = ground.site()
    site.daemon.settings.set("kafka.properties", **{"group.instance.id": "one"})
    site.daemon.start_ready()
    hooks = site.make_hooks(receiver.url(f"/delay/20/{number}", "plain") for number in range(8))
    arrivals = Arrivals(receiver, hooks)
    load = Load(site, hooks, rate=300)
    load.start()
    arrivals.wait_count(300)
    other = site.add_daemon()
    other.start_ready()
    started_at = time.time()
    code = site.daemon.process.wait(20)
    outcome.expect(code != 0, "the fenced instance ended with exit code 0")
    wait_busy(other)
    load.stop()
    owed = load.finish()
    finish(site, arrivals, owed, outcome, mended_at=started_at, grace_s=TAKEOVER_S, one_owner=False)
    bound = len(hooks) * 32
    outcome.expect(outcome.duplicated <= bound, f"{outcome.duplicated} duplicates, {bound} can have been in flight")
    outcome.notes.append(f"the fenced instance ended with exit code {code}")
    return outcome
