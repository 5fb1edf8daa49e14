"""Three nodes of Apache Kafka, for faults in which a partition's leader goes away and another takes over."""

from __future__ import annotations

from pathlib import Path

from tools.broker import Broker, KafkaBroker
from tools.kafka import ApacheKafka, ClusterPlan
from tools.ports import free_ports
from tools.waiting import wait_for

NODES = 3


class KafkaCluster(Broker):
    """Every topic has a replica on each node; what two of them have is acknowledged."""

    name = "kafka"
    consumer_properties = KafkaBroker.consumer_properties

    def __init__(self, folder: Path) -> None:
        plan = ClusterPlan(tuple(free_ports(NODES)))
        self.nodes = [ApacheKafka(folder / f"node{node}", plan, node) for node in range(1, NODES + 1)]
        self.bootstrap = ",".join(node.bootstrap for node in self.nodes)
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            node.wait_serving()
        wait_for(lambda: len(self._client().list_topics(timeout=5).brokers) == NODES, "all nodes know each other")

    def create_topic(self, name: str, partitions: int) -> None:
        from confluent_kafka.admin import NewTopic

        topic = NewTopic(name, partitions, NODES, config={"min.insync.replicas": "2"})
        client = self._client()
        for done in client.create_topics([topic]).values():
            done.result(20)
        wait_for(lambda: len(self.leaders(name)) == partitions, f"each partition of {name} has a leader", 20, 0.1)

    def leaders(self, topic: str) -> list[int]:
        """The nodes that lead a topic's partitions; those without a leader are left out."""
        known = self._client().list_topics(topic, timeout=10).topics[topic]
        return [partition.leader for partition in known.partitions.values() if partition.leader > 0]

    def node(self, number: int) -> ApacheKafka:
        """One of the nodes, from 1."""
        return self.nodes[number - 1]

    def go_away(self) -> None:
        for node in self.nodes:
            node.kill()

    def come_back(self) -> None:
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            node.wait_serving()

    def stop(self) -> None:
        # Two of three cannot hand over in order without a quorum, and their data goes anyway.
        self.go_away()

    def _client(self):
        from confluent_kafka.admin import AdminClient

        return AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
