"""The events of the benchmark: what they look like, writing them ahead, and writing them at a steady rate."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Iterator

from tools.broker import Broker

if TYPE_CHECKING:
    from confluent_kafka import Producer

BODY_BYTES = 1024
EMBEDDED_EVENTS_PER_PARTITION = 4000
"""The embedded broker keeps 5 MiB of a partition and forgets what is older."""

_START = (
    '{"id":"%s","event":"extraction.completed","userId":"%s","extractionId":"extract-%s",'
    '"createdAt":"2025-01-20T14:30:03.512Z","data":{"status":"completed","templateId":"template-7f3a",'
    '"templateName":"Invoices","fileName":"invoice.pdf","extractedData":{"invoiceNumber":"2025-00417",'
    '"total":1249.50,"currency":"EUR","lines":['
)
_LINE = '{"text":"Servers, rack mounted","amount":3,"price":416.50},'
_END = '{"text":"%s","amount":1,"price":0}]}}}'


def user_name(number: int) -> str:
    """The id of a user; tests/bench/webhooks makes the same ones."""
    return f"user-{number:06d}"


def body(event_id: str, user: int) -> bytes:
    """An event of exactly BODY_BYTES."""
    name = user_name(user)
    text = _START % (event_id, name, event_id) + _LINE * 8
    filling = BODY_BYTES - len(text) - (len(_END) - 2)
    return (text + _END % ("x" * filling)).encode("ascii")


def event_id(number: int, microseconds: int = 1_700_000_000_000_000) -> str:
    """An id of fixed length: the number, and when it was written in microseconds of the wall clock."""
    return f"evt_{number:012d}_{microseconds}"


def written_at(text: str) -> tuple[int, float]:
    """The number and the time, in seconds, in an id."""
    _, number, microseconds = text.split("_")
    return int(number), int(microseconds) / 1e6


@dataclass(frozen=True)
class Topic:
    """A topic. Each user's events are in one partition."""

    name: str
    partitions: int

    def partition_of(self, user: int) -> int:
        """Users are spread evenly."""
        return user % self.partitions


def preload(broker: Broker, topic: Topic, users: Iterator[int], count: int) -> None:
    """Writes `count` events, the users taken from the iterator, and returns when the broker has them all."""
    from confluent_kafka import Consumer, TopicPartition

    if broker.name == "embedded" and count > EMBEDDED_EVENTS_PER_PARTITION * topic.partitions:
        raise RuntimeError(
            f"the embedded broker cannot keep {count} events in {topic.partitions} partitions; use --broker kafka"
        )
    producer = _producer(broker, linger_ms=20)
    for number in range(count):
        user = next(users)
        value = body(event_id(number), user)
        while True:
            try:
                producer.produce(topic.name, value=value, key=user_name(user), partition=topic.partition_of(user))
                break
            except BufferError:
                producer.poll(0.05)
    producer.flush(120)
    reader = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "bench-preload", "log_level": 0})
    try:
        places = [TopicPartition(topic.name, partition) for partition in range(topic.partitions)]
        stored = sum(reader.get_watermark_offsets(place, timeout=30)[1] for place in places)
    finally:
        reader.close()
    if stored != count:
        raise RuntimeError(f"topic {topic.name} has {stored} events; {count} were written")


class SteadyWriter:
    """Writes events at a steady rate; each carries the time it was handed to the producer."""

    def __init__(self, broker: Broker, topic: Topic, users: Iterator[int], linger_ms: int = 0) -> None:
        self._topic = topic
        self._users = users
        self._producer = _producer(broker, linger_ms=linger_ms)
        self._failures: list[str] = []
        self._random = random.Random(0)
        self.written = 0

    def run(self, events_per_s: float, seconds: float) -> None:
        """Writes for so long, at random intervals (a Poisson process): a metronome would keep step with clocks
        that count milliseconds. Raises when this program could not keep up or the broker refused an event."""
        due = time.monotonic()
        for _ in range(round(events_per_s * seconds)):
            due += self._random.expovariate(events_per_s)
            pause = due - time.monotonic()
            if pause > 0:
                self._producer.poll(0)
                time.sleep(pause)
            self._write()
        late = time.monotonic() - due
        if late > 0.05 * seconds + 0.5:
            raise RuntimeError(f"the writer was {late:.1f} s late: this machine is too busy for {events_per_s:g}/s")
        if self._producer.flush(30) or self._failures:
            raise RuntimeError(f"events not written: {self._failures[:3]}")

    def _write(self) -> None:
        user = next(self._users)
        value = body(event_id(self.written, time.time_ns() // 1000), user)
        self._producer.produce(
            self._topic.name,
            value=value,
            key=user_name(user),
            partition=self._topic.partition_of(user),
            on_delivery=self._delivered,
        )
        self.written += 1

    def _delivered(self, error: object, _message: object) -> None:
        if error is not None:
            self._failures.append(str(error))


def _producer(broker: Broker, *, linger_ms: int) -> Producer:
    from confluent_kafka import Producer

    return Producer(
        {
            "bootstrap.servers": broker.bootstrap,
            "linger.ms": linger_ms,
            "acks": 1,
            "queue.buffering.max.messages": 200_000,
            "log_level": 0,
        }
    )
