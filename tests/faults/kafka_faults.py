"""Apache Kafka's own ends: brokers killed, leaders moved, a topic made anew, offsets that are never received."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import Any, Iterator

from e2e.site import PARTITIONS
from faults.check import Arrivals, finish, wait_whole
from faults.ground import FaultSite, Ground
from faults.kafka_cluster import KafkaCluster
from faults.load import Load, emit
from faults.outcome import Outcome, fault
from tools.waiting import wait_for


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
    ground.kafka.create_topic(site.completed_topic, PARTITIONS)
    second = emit(site, hooks, 300)
    mended_at = time.time()
    site.daemon.start_ready()
    owed = {**owed, **second}
    finish(site, arrivals, owed, outcome, mended_at=mended_at)
    outcome.expect(outcome.duplicated == 0, f"{outcome.duplicated} duplicates")
    places = site.sql("SELECT count(DISTINCT (topic, partition, kafka_offset)) FROM deliveries")[0][0]
    outcome.expect(int(places) < len(owed), "no offset was used twice: the test proves nothing")
    return outcome


@fault("leader-moved", "three nodes; the one that leads a partition killed under load")
def leader_moved(ground: Ground) -> Outcome:
    """Other nodes take over the partitions, and the group's coordinator where it was there."""
    outcome = Outcome()
    receiver = ground.receiver()
    cluster = KafkaCluster(ground.folder / "cluster")
    ground.cleanup.callback(cluster.stop)
    site = ground.site(broker=cluster)
    site.daemon.start_ready()
    hooks = site.make_hooks(receiver.url(f"/delay/20/{number}", "plain") for number in range(20))
    arrivals = Arrivals(receiver, hooks)
    load = Load(site, hooks, rate=300)
    load.start()
    arrivals.wait_count(300)
    leader = cluster.leaders(site.completed_topic)[0]
    cluster.node(leader).kill()
    wait_for(
        lambda: len(leaders := cluster.leaders(site.completed_topic)) == PARTITIONS and leader not in leaders,
        lambda: f"the partitions of node {leader} have other leaders: {cluster.leaders(site.completed_topic)}",
        30,
        0.1,
    )
    mended_at = time.time()
    arrivals.wait_count(arrivals.count() + 1500, timeout_s=30)
    load.stop()
    finish(site, arrivals, load.finish(), outcome, mended_at=mended_at)
    outcome.expect(outcome.duplicated == 0, f"{outcome.duplicated} duplicates")
    return outcome


@fault("offset-gaps", "transactions, half of them aborted: offsets that are never received")
def offset_gaps(ground: Ground) -> Outcome:
    """Markers and aborted records hold no offset back; aborted events are not delivered."""
    outcome = Outcome()
    receiver = ground.receiver()
    site = ground.site()
    site.daemon.start_ready()
    hooks = site.make_hooks(receiver.url(f"/gaps/{number}", "plain") for number in range(8))
    arrivals = Arrivals(receiver, hooks)
    owed = {}
    aborted = set()
    with transactions(site) as producer:
        for number in range(10):
            producer.begin_transaction()
            for hook in hooks:
                record = site.record(hook.user, id=f"transaction{number}-{hook.user}")
                producer.produce(record.topic, value=record.value, key=record.key)
            producer.flush(20)
            names = {(f"transaction{number}-{hook.user}", hook.id) for hook in hooks}
            if number % 2 == 0:
                producer.abort_transaction(20)
                aborted |= names
            else:
                producer.commit_transaction(20)
                owed.update(dict.fromkeys(names, time.time()))
    # A marker ends each partition's log. Ordinary events behind it tell whether the gaps hold the offsets back.
    owed.update(emit(site, hooks, 80))
    finish(site, arrivals, owed, outcome)
    strays = aborted & arrivals.of.keys()
    outcome.expect(not strays, f"{len(strays)} aborted events were delivered")
    outcome.expect(outcome.duplicated == 0, f"{outcome.duplicated} duplicates")
    return outcome


@contextmanager
def transactions(site: FaultSite) -> Iterator[Any]:
    """A producer that may begin transactions."""
    from confluent_kafka import Producer

    producer = Producer(
        {
            "bootstrap.servers": site.broker.bootstrap,
            "transactional.id": site.group,
            "partitioner": "murmur2_random",
            "log_level": 0,
        }
    )
    producer.init_transactions(30)
    yield producer
