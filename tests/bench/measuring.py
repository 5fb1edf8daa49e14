"""The three ways to measure a subject: draining a backlog, at a steady rate, and its latency."""

from __future__ import annotations

import math
from typing import Callable, Iterator

from bench.load import SteadyWriter, Topic, written_at
from bench.meter import Meter, Sample, Work
from bench.nginx import Arrival, BenchNginx
from bench.stage import Site, Stage
from bench.subjects import Subject, Wrk
from tools.waiting import wait_for

Figures = dict[str, float]

DRAIN_TIMEOUT_S = 600.0
STORE_TIMEOUT_S = 60.0
WARM_UP_S = 2.0
NGINX_CLOCK_S = 0.0005
"""nginx writes times cut to milliseconds: half of one on average is missing."""


def figures(prefix: str, **values: float) -> Figures:
    """Figures with a common prefix."""
    return {f"{prefix}.{name}": value for name, value in values.items()}


def drain_samples(subject: Subject, site: Site, topic: Topic, deliveries: int) -> Meter:
    """Lets a subject drain a topic from its start, and returns the samples. All deliveries must be recorded."""
    stage = site.stage
    site.forget_deliveries()
    meter = Meter(subject.start(site, topic), stage.postgres.pid, stage.nginx.requests_served)

    def state() -> str:
        last = meter.samples[-1].delivered
        return f"{subject.name} made {last} of {deliveries} deliveries; its log ends:\n{subject.log_tail()}"

    def drained(sample: Sample) -> bool:
        subject.check_alive()
        return sample.delivered >= deliveries

    try:
        meter.run_until(drained, DRAIN_TIMEOUT_S, state)
        wait_for(lambda: site.stored() >= deliveries, lambda: f"all rows stored: {state()}", STORE_TIMEOUT_S, 0.2)
        failed = int(site.execute("SELECT count(*) FROM deliveries WHERE NOT success"))
        if failed or site.stored() != deliveries:
            raise RuntimeError(f"{subject.name}: {site.stored()} rows for {deliveries} deliveries, {failed} failed")
        meter.sample()
        meter.peak_mb = meter.peak_megabytes()
    finally:
        subject.stop()
        site.forget_deliveries()  # or an autovacuum of so many rows comes upon the next scenario
    return meter


def drain(prefix: str, subject: Subject, site: Site, topic: Topic, deliveries: int) -> Figures:
    """Rate and cost of a subject that drains a topic, over the middle of the run: from 10 % to 90 %."""
    meter = drain_samples(subject, site, topic, deliveries)
    work = meter.between_counts(deliveries // 10, deliveries * 9 // 10)
    return work_figures(prefix, work, meter.peak_mb)


def work_figures(prefix: str, work: Work, peak_mb: float) -> Figures:
    """The figures of every subject."""
    return figures(
        prefix, rate=work.rate, cpu_us=work.cpu_us, postgres_cpu_us=work.server_cpu_us, peak_rss_mb=peak_mb
    )


def steady(
    prefix: str, subject: Subject, site: Site, users: Iterator[int], rate: float, seconds: float, linger_ms: int
) -> Figures:
    """Cost of a subject at a steady rate of events with one webhook each, from a producer that lingers so long."""
    stage = site.stage
    site.forget_deliveries()
    topic = stage.fresh_topic()
    meter = Meter(subject.start(site, topic), stage.postgres.pid, stage.nginx.requests_served)
    try:
        subject.wait_until_consuming()
        writer = SteadyWriter(stage.broker, topic, users, linger_ms)
        _warm_up(writer, rate)
        first = meter.sample()
        writer.run(rate, seconds)
        last = meter.sample()
        peak_mb = meter.peak_megabytes()
        _expect_all(lambda: meter.sample().delivered, writer.written, subject)
    finally:
        subject.stop()
    return work_figures(prefix, Work.between(first, last), peak_mb)


def latency(prefix: str, subject: Subject, site: Site, users: Iterator[int], seconds: float) -> Figures:
    """From the event handed to the producer to its arrival at nginx, at 1,000/s, of a subject that is started for it."""
    site.forget_deliveries()
    topic = site.stage.fresh_topic()
    subject.start(site, topic)
    try:
        subject.wait_until_consuming()
        healthy = range(sum(hooks.users for hooks in site.hooks))
        return figures(prefix, **latency_of(subject, site.stage, topic, users, healthy, seconds))
    finally:
        subject.stop()


def latency_of(
    subject: Subject, stage: Stage, topic: Topic, users: Iterator[int], healthy: range, seconds: float
) -> dict[str, float]:
    """The same for a subject that runs already, of the events of healthy users, at 1,000/s in all."""
    nginx = stage.nginx
    nginx.forget_arrivals()
    drawn: list[int] = []
    writer = SteadyWriter(stage.broker, topic, _remember(users, drawn))
    _warm_up(writer, 1000)
    skipped = writer.written
    writer.run(1000, seconds)
    expected = sum(1 for user in drawn[: writer.written] if user in healthy)
    _expect_all(lambda: len(nginx.arrivals()), expected, subject)
    return percentiles(nginx.arrivals(), skipped)


def percentiles(arrivals: list[Arrival], first: int) -> dict[str, float]:
    """Milliseconds from produce to arrival, of the events numbered from `first` on."""
    delays = []
    for arrival in arrivals:
        number, written = written_at(arrival.event_id)
        if number >= first:
            delays.append((arrival.time + NGINX_CLOCK_S - written) * 1000)
    delays.sort()
    if not delays:
        raise RuntimeError("no event arrived in the measured time")

    def at(share: float) -> float:
        return delays[max(0, math.ceil(share * len(delays)) - 1)]

    return {"p50_ms": at(0.5), "p99_ms": at(0.99), "max_ms": delays[-1]}


def yardstick(prefix: str, wrk: Wrk, nginx: BenchNginx, server_pid: int, seconds: float) -> Figures:
    """wrk's rate and cost, its first second (connecting, handshakes) left out."""
    meter = Meter(wrk.start(seconds + 2), server_pid, nginx.requests_served)
    try:
        start: list[Sample] = []

        def measured(sample: Sample) -> bool:
            if not start and sample.time_s - meter.samples[0].time_s >= 1.0:
                start.append(sample)
            return bool(start) and sample.time_s - start[0].time_s >= seconds

        meter.run_until(measured, seconds + 10, lambda: "wrk did not run")
        work = Work.between(start[0], meter.samples[-1])
    finally:
        wrk.stop()
    return figures(prefix, rate=work.rate, cpu_us=work.cpu_us)


def _warm_up(writer: SteadyWriter, rate: float) -> None:
    """Gently first: connections open before the full rate needs them."""
    writer.run(rate / 10, WARM_UP_S)
    writer.run(rate, WARM_UP_S)


def _expect_all(arrived: Callable[[], int], expected: int, subject: Subject) -> None:
    wait_for(
        lambda: arrived() >= expected,
        lambda: f"{expected} arrivals, now {arrived()}; the log of {subject.name} ends:\n{subject.log_tail()}",
        STORE_TIMEOUT_S,
        0.2,
    )


def _remember(users: Iterator[int], drawn: list[int]) -> Iterator[int]:
    for user in users:
        drawn.append(user)
        yield user
