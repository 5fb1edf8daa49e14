"""Apache Kafka's own ends: a broker killed, a topic made anew."""

from __future__ import annotations

import time

from faults.check import Arrivals, finish, wait_whole
from faults.ground import Ground
from faults.load import Load, emit
from faults.outcome import Outcome, fault


@fault("kill-kafka", "the only broker killed and started again under load")
def kill_kafka(ground: Ground) -> Outcome:
    """Deliveries under way go on; what was read is not sent again when the broker is back."""
    outcome = Outcome()
    receiver = ground.receiver()
    site = ground.site()
    site.daemon.start_ready()
    hooks = site.make_hooks(receiver.url(f"/delay/20/{number}", "plain") for number in range(20))
    arrivals = Arrivals(receiver, hooks)
    load = Load(site, hooks, rate=500)
    load.start()
    arrivals.wait_count(1000)
    ground.kafka.go_away()
    try:
        time.sleep(2.0)
    finally:
        ground.kafka.come_back()
    mended_at = time.time()
    arrivals.wait_count(arrivals.count() + 1000, timeout_s=60)
    load.stop()
    finish(site, arrivals, load.finish(), outcome, mended_at=mended_at)
    return outcome


@fault("topic-recreated", "a topic deleted and made anew: other events at the same offsets")
def topic_recreated(ground: Ground) -> Outcome:
    """The body's hash tells them from what is recorded at these offsets."""
    outcome = Outcome()
    receiver = ground.receiver()
    site = ground.site()
    site.daemon.start_ready()
    hooks = site.make_hooks(receiver.url(f"/topic/{number}", "plain") for number in range(8))
    arrivals = Arrivals(receiver, hooks)
    owed = emit(site, hooks, 300)
    amiss = wait_whole(site, arrivals, owed)
    outcome.expect(not amiss, amiss)
    site.daemon.stop()

    # Deleting a topic deletes the group's offsets of it too.
    ground.delete_topic(site.completed_topic)
    ground.kafka.create_topic(site.completed_topic, 4)
    second = emit(site, hooks, 300)
    mended_at = time.time()
    site.daemon.start_ready()
    owed = {**owed, **second}
    finish(site, arrivals, owed, outcome, mended_at=mended_at)
    outcome.expect(outcome.duplicated == 0, f"{outcome.duplicated} duplicates")
    places = site.sql("SELECT count(DISTINCT (topic, partition, kafka_offset)) FROM deliveries")[0][0]
    outcome.expect(int(places) < len(owed), "no offset was used twice: the test proves nothing")
    return outcome
