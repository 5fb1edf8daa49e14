"""Writing records to a broker, and reading where its partitions and groups stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable

from tools.broker import Broker

Offsets = dict[tuple[str, int], int]
"""Offsets by topic and partition."""


@dataclass(frozen=True)
class Record:
    """One record to write. The partition is chosen by the key, as Kafka's own clients do."""

    topic: str
    value: bytes | None
    key: str | None = None
    headers: dict[str, str] = field(default_factory=dict)
    partition: int = -1


class RecordWriter:
    """A producer that is kept open, for tests that write one record at a time.

    `once`: the broker takes each record once, whatever connections break on the way.
    """

    def __init__(self, broker: Broker, once: bool = False) -> None:
        from confluent_kafka import Producer

        self._failures: list[str] = []
        self._producer = Producer(
            {
                "bootstrap.servers": broker.bootstrap,
                "linger.ms": 2,
                "enable.idempotence": once,
                "partitioner": "murmur2_random",
                "message.max.bytes": 8 * 1024 * 1024,
                "log_level": 0,
            }
        )

    def write(self, record: Record) -> None:
        """Queues a record; `flush` tells whether it arrived."""
        place = {} if record.partition < 0 else {"partition": record.partition}
        while True:
            try:
                self._producer.produce(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    headers=list(record.headers.items()),
                    on_delivery=self._delivered,
                    **place,
                )
                break
            except BufferError:
                self._producer.poll(0.1)
        self._producer.poll(0)

    def poll(self) -> None:
        """Serves the producer's callbacks; for pauses between records."""
        self._producer.poll(0)

    def flush(self, timeout_s: float = 30.0) -> None:
        """Waits until the broker has everything, and raises when it has not."""
        left = self._producer.flush(timeout_s)
        if left or self._failures:
            raise RuntimeError(f"records not written: {left} waiting, failed: {self._failures[:3]}")

    def _delivered(self, error: object, _message: object) -> None:
        if error is not None:
            self._failures.append(str(error))


def write_all(broker: Broker, records: Iterable[Record]) -> None:
    """Writes records and returns when the broker has them all."""
    writer = RecordWriter(broker)
    for record in records:
        writer.write(record)
    writer.flush()


class GroupReader:
    """Reads a group's committed offsets and the ends of the logs, without joining the group."""

    def __init__(self, broker: Broker, group: str, topics: list[str]) -> None:
        from confluent_kafka import Consumer

        self._consumer = Consumer(
            {"bootstrap.servers": broker.bootstrap, "group.id": group, "enable.auto.commit": False, "log_level": 0}
        )
        self._topics = topics

    def close(self) -> None:
        """Ends the connections."""
        self._consumer.close()

    def ends(self) -> Offsets:
        """The offset that the next record of each partition gets."""
        return {
            (place.topic, place.partition): self._consumer.get_watermark_offsets(place, timeout=10)[1]
            for place in self._places()
        }

    def committed(self) -> Offsets:
        """The group's committed offsets; partitions never committed to are left out."""
        places = self._consumer.committed(self._places(), timeout=10)
        return {(each.topic, each.partition): each.offset for each in places if each.offset >= 0}

    def lag(self) -> int:
        """How many records lie between the committed offsets and the ends."""
        committed = self.committed()
        return sum(end - committed.get(place, 0) for place, end in self.ends().items())

    def _places(self) -> list:
        from confluent_kafka import TopicPartition

        known = self._consumer.list_topics(timeout=10).topics
        return [
            TopicPartition(topic, partition)
            for topic in self._topics
            if topic in known
            for partition in known[topic].partitions
        ]
