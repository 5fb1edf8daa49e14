"""The scenarios that take long or much memory; they run only when named."""

from __future__ import annotations

import itertools
import math
import random
import statistics
import time
from contextlib import ExitStack

from bench.load import SteadyWriter, Topic
from bench.measuring import Figures, drain_samples, figures, latency_of
from bench.meter import Sample, Work
from bench.processes import cpu_seconds, resident_bytes
from bench.scenarios import USERS, Scenario
from bench.stage import Hooks
from bench.subjects import DaemonSubject, new_group
from tools.waiting import wait_for

MEGABYTE = 2**20


class Hanging(Scenario):
    """Thousands of HTTPS deliveries that wait for their answer at the same time."""

    name = "hanging"
    about = "20,000 HTTPS deliveries hanging at once: memory of each, and the latency of healthy ones beside them"
    per_endpoint = 2  # as many as an endpoint that never answered gets at once
    spare_files = 1000

    def prepare(self) -> None:
        self._count = self.stage.options.size(20_000, 2_000)
        # Each is a socket of the daemon's. Where one process may not have as many, instances share them.
        self._instances = math.ceil(self._count / (self.stage.max_files - self.spare_files))
        self._receiver = self.stage.hanging_nginx()
        healthy = Hooks(USERS, self.stage.nginx.url("https", "/timed"))
        endpoints = self._count // self.per_endpoint
        self._stuck = Hooks(endpoints, self._receiver.url("https", "/hang"), first_user=USERS)
        self._site = self.stage.site(healthy, self._stuck)

    def measure(self) -> Figures:
        self._site.forget_deliveries()
        topic, group = self.stage.fresh_topic(), new_group()
        with ExitStack() as running:
            subjects = []
            for number in range(self._instances):
                subject = DaemonSubject(
                    group=group, instance=number, max_in_flight=2 * self._count, timeout="1m", drain_timeout="1s"
                )
                subject.start(self._site, topic)
                running.callback(subject.stop)
                subjects.append(subject)
            for subject in subjects:
                subject.wait_until_consuming()
            return self._measure(subjects, topic)

    def _measure(self, subjects: list[DaemonSubject], topic: Topic) -> Figures:
        alone = self._healthy_latency(subjects[0], topic)
        before = self._resident_bytes(subjects)
        held_before = self._receiver.requests_open()

        def held() -> int:
            return self._receiver.requests_open() - held_before

        SteadyWriter(self.stage.broker, topic, self._stuck.each_user()).run(10_000, self._count / 10_000)
        wait_for(
            lambda: held() >= self._count,
            lambda: f"{self._count} hang, now {held()}; log:\n{subjects[0].log_tail()}",
            50,
            0.2,
        )
        each = (self._resident_bytes(subjects) - before) / self._count
        beside = self._healthy_latency(subjects[0], topic)
        if held() < self._count:
            raise RuntimeError("the deliveries did not hang long enough to measure the healthy ones beside them")
        return figures(
            "hanging",
            count=self._count,
            instances=self._instances,
            rss_kb_each=each / 1024,
            p99_ms_alone=alone["p99_ms"],
            p99_ms_beside=beside["p99_ms"],
        )

    def _resident_bytes(self, subjects: list[DaemonSubject]) -> int:
        return sum(resident_bytes(subject.daemon.process.pid) for subject in subjects)

    def _healthy_latency(self, subject: DaemonSubject, topic: Topic) -> dict[str, float]:
        users, seconds = itertools.cycle(range(USERS)), self.stage.options.size(8, 3)
        return latency_of(subject, self.stage, topic, users, range(USERS), seconds)


class Idle(Scenario):
    """Nothing to do."""

    name = "idle"
    about = "the daemon without events, after its start"

    def prepare(self) -> None:
        self._site = self.stage.site(Hooks(USERS, self.stage.nginx.url("https", "/sink")))

    def measure(self) -> Figures:
        subject = DaemonSubject()
        pid = subject.start(self._site, self.stage.fresh_topic())
        try:
            subject.wait_until_consuming()
            time.sleep(3)
            cpu, started = cpu_seconds(pid), time.monotonic()
            time.sleep(self.stage.options.size(30, 5))
            share = (cpu_seconds(pid) - cpu) / (time.monotonic() - started)
            resident = resident_bytes(pid)
        finally:
            subject.stop()
        return figures("idle", cpu_percent=share * 100, rss_mb=resident / MEGABYTE)


class Million(Scenario):
    """A long backlog of many users."""

    name = "million"
    about = "a backlog of 1,000,000 events over 10,000 users: rate and memory from the first second to the last"

    def prepare(self) -> None:
        users = 10_000
        self._events = self.stage.options.backlog_size(1_000_000, 40_000)
        self._site = self.stage.site(Hooks(users, self.stage.nginx.url("https", "/sink")))
        self._topic = self.stage.backlog(users, self._events)

    def measure(self) -> Figures:
        meter = drain_samples(DaemonSubject(), self._site, self._topic, self._events)
        fifth = self._events // 5
        parts = [meter.between_counts(max(1, fifth * i), fifth * (i + 1)) for i in range(5)]
        whole = meter.between_counts(1, self._events)
        first, middle, last = (
            self._median_resident_bytes(meter.samples, fifth * i, fifth * (i + 1)) for i in (0, 2, 4)
        )
        self._print_course(meter.samples)
        return figures(
            "million",
            rate=whole.rate,
            cpu_us=whole.cpu_us,
            slowest_fifth=min(part.rate for part in parts) / whole.rate,
            peak_rss_mb=meter.peak_mb,
            rss_growth=last / first,
            rss_late_growth=last / middle,
        )

    def _median_resident_bytes(self, samples: list[Sample], start: int, end: int) -> float:
        return statistics.median(sample.resident_bytes for sample in samples if start < sample.delivered <= end)

    def _print_course(self, samples: list[Sample]) -> None:
        """One line for each tenth of the run."""
        for tenth in range(10):
            reached = [sample for sample in samples if sample.delivered >= self._events * tenth / 10]
            following = [sample for sample in samples if sample.delivered >= self._events * (tenth + 1) / 10]
            if reached and following and following[0].delivered > reached[0].delivered:
                rate = Work.between(reached[0], following[0]).rate
                memory = following[0].resident_bytes / MEGABYTE
                print(f"   {tenth * 10:3d}-{tenth * 10 + 10} %: {rate:8.0f}/s, RSS {memory:.0f} MiB", flush=True)


class ManyWebhooks(Scenario):
    """The cost with 10 and with 100,000 webhooks, once each has been used."""

    name = "webhooks"
    about = "CPU per delivery with 10 and with 100,000 webhooks, each used once before"

    def prepare(self) -> None:
        url = self.stage.nginx.url("https", "/sink")
        counted = self.stage.options.backlog_size(250_000, 20_000)
        self._cases = []
        for users in (10, self.stage.options.backlog_size(100_000, 5_000)):
            chosen = random.Random(users)
            order = itertools.chain(range(users), (chosen.randrange(users) for _ in itertools.count()))
            topic = self.stage.backlog_of(f"each once, then random: {users}", order, users + counted)
            self._cases.append((users, users + counted, self.stage.site(Hooks(users, url)), topic))

    def measure(self) -> Figures:
        costs = []
        for users, events, site, topic in self._cases:
            meter = drain_samples(DaemonSubject(), site, topic, events)
            counted = events - users
            costs.append(meter.between_counts(users + counted // 10, users + counted * 9 // 10).cpu_us)
        return figures("webhooks", few_cpu_us=costs[0], many_cpu_us=costs[1])


class ManyPartitions(Scenario):
    """The cost with 1 and with 48 partitions."""

    name = "partitions"
    about = "CPU per delivery with 1 and with 48 partitions"

    def prepare(self) -> None:
        self._events = self.stage.options.backlog_size(250_000, 20_000)
        self._site = self.stage.site(Hooks(USERS, self.stage.nginx.url("https", "/sink")))
        self._topics = [self.stage.backlog(USERS, self._events, partitions) for partitions in (1, 48)]

    def measure(self) -> Figures:
        costs = []
        for topic in self._topics:
            meter = drain_samples(DaemonSubject(), self._site, topic, self._events)
            costs.append(meter.between_counts(self._events // 10, self._events * 9 // 10).cpu_us)
        return figures("partitions", one_cpu_us=costs[0], many_cpu_us=costs[1])


HEAVY: list[type[Scenario]] = [Hanging, Idle, Million, ManyWebhooks, ManyPartitions]
