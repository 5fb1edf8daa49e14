"""From the figures of all rounds to the table: medians, ratios, goals; and their files."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from bench.measuring import Figures

BEGIN = "<!-- begin: written by tests/run bench --write-docs -->"
END = "<!-- end -->"


@dataclass(frozen=True)
class Row:
    """One line of the table. Its value is computed for each round and the median shown, where the round has it all."""

    text: str
    value: Callable[[Figures], float]
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def goal(self) -> str:
        """The goal as text."""
        if self.at_most is not None:
            return f"≤ {_short(self.at_most)}"
        return f"≥ {_short(self.at_least)}" if self.at_least is not None else ""

    def met(self, value: float) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.at_most is not None:
            return value <= self.at_most
        return value >= self.at_least if self.at_least is not None else None


def _ratio(part: str, whole: str) -> Callable[[Figures], float]:
    return lambda figures: figures[part] / figures[whole]


def _figure(name: str) -> Callable[[Figures], float]:
    return lambda figures: figures[name]


RATIOS = [
    Row("HTTPS: CPU per delivery / wrk's per request", _ratio("https.cpu_us", "wrk.https.cpu_us"), "×", 1.5),
    Row("HTTPS: deliveries/s / wrk's requests/s", _ratio("https.rate", "wrk.https.rate"), "×", at_least=0.45),
    Row("HTTP: CPU per delivery / wrk's per request", _ratio("http.cpu_us", "wrk.http.cpu_us"), "×", 1.7),
    Row("HTTP: deliveries/s / wrk's requests/s", _ratio("http.rate", "wrk.http.rate"), "×"),
    Row("ten webhooks per event / one: CPU per delivery", _ratio("ten.cpu_us", "https.cpu_us"), "×", 0.9),
    Row("per CPU second, against Node.js batched", _ratio("node.cpu_us", "https.cpu_us"), "×", at_least=4),
    Row("per CPU second, against Node.js usual", _ratio("node_usual.cpu_us", "https.cpu_us"), "×", at_least=30),
    Row("p99 with 10 % hanging / without", _ratio("latency_hanging.p99_ms", "latency_hanging.p99_ms_alone"), "×", 1.1),
    Row("20,000 hanging: p99 of healthy ones / alone", _ratio("hanging.p99_ms_beside", "hanging.p99_ms_alone"), "×"),
    Row("1,000,000 events: slowest fifth / whole", _figure("million.slowest_fifth"), "×", at_least=0.9),
    Row("1,000,000 events: RSS in the last fifth / in the first", _figure("million.rss_growth"), "×", 1.1),
    Row("1,000,000 events: RSS in the last fifth / in the middle one", _figure("million.rss_late_growth"), "×"),
    Row("100,000 webhooks / 10: CPU", _ratio("webhooks.many_cpu_us", "webhooks.few_cpu_us"), "×", 1.1),
    Row("48 partitions / 1: CPU", _ratio("partitions.many_cpu_us", "partitions.one_cpu_us"), "×", 1.1),
]

# Text, prefix, goals: the least rate, CPU per delivery, PostgreSQL's CPU per delivery.
_WORKERS = [
    ("wrk HTTPS", "wrk.https", None, None, None),
    ("wrk HTTP", "wrk.http", None, None, None),
    ("daemon HTTPS", "https", None, None, 12.0),
    ("daemon HTTP", "http", None, None, 12.0),
    ("daemon HTTPS, ten webhooks per event", "ten", None, None, 12.0),
    ("daemon HTTPS, default max_in_flight", "defaults", None, None, 12.0),
    ("daemon HTTPS, 5,000/s", "steady", 4900.0, 30.0, None),
    ("daemon HTTPS, 5,000/s, one by one", "steady_singly", 4900.0, None, None),
    ("Node.js batched, HTTPS", "node", None, None, None),
    ("Node.js usual, HTTPS", "node_usual", None, None, None),
]

_LATENCIES = [
    ("daemon, 1,000/s", "latency", 2.5, 8.0),
    ("daemon, 1,000/s, 10 % hanging", "latency_hanging", None, None),
    ("Node.js batched, 1,000/s", "latency.node", None, None),
    ("Node.js usual, 1,000/s", "latency.node_usual", None, None),
]

ABSOLUTES = [
    row
    for text, prefix, rate_goal, cpu_goal, server_goal in _WORKERS
    for row in (
        Row(f"{text}: deliveries", _figure(f"{prefix}.rate"), "/s", at_least=rate_goal),
        Row(f"{text}: CPU per delivery", _figure(f"{prefix}.cpu_us"), "µs", cpu_goal),
        Row(f"{text}: PostgreSQL's CPU per delivery", _figure(f"{prefix}.postgres_cpu_us"), "µs", server_goal),
        Row(f"{text}: peak RSS", _figure(f"{prefix}.peak_rss_mb"), "MiB"),
        Row(f"{text}: a cache line to the other core and back", _figure(f"{prefix}.core_round_trip_ns"), "ns"),
    )
]
ABSOLUTES += [
    row
    for text, prefix, median_goal, tail_goal in _LATENCIES
    for row in (
        Row(f"{text}: p50 from produce to arrival", _figure(f"{prefix}.p50_ms"), "ms", median_goal),
        Row(f"{text}: p99 from produce to arrival", _figure(f"{prefix}.p99_ms"), "ms", tail_goal),
    )
]
ABSOLUTES += [
    Row("hanging at once over HTTPS", _figure("hanging.count"), at_least=20_000),
    Row("hanging: instances that share them", _figure("hanging.instances")),
    Row("hanging: RSS of each", _figure("hanging.rss_kb_each"), "KiB", 32),
    Row("hanging: p99 of healthy ones, alone", _figure("hanging.p99_ms_alone"), "ms"),
    Row("hanging: p99 of healthy ones, beside them", _figure("hanging.p99_ms_beside"), "ms"),
    Row("idle: CPU", _figure("idle.cpu_percent"), "% of a core", 0.5),
    Row("idle: RSS", _figure("idle.rss_mb"), "MiB", 40),
    Row("1,000,000 events: deliveries", _figure("million.rate"), "/s"),
    Row("1,000,000 events: CPU per delivery", _figure("million.cpu_us"), "µs"),
    Row("1,000,000 events: peak RSS", _figure("million.peak_rss_mb"), "MiB"),
    Row("10 webhooks: CPU per delivery", _figure("webhooks.few_cpu_us"), "µs"),
    Row("100,000 webhooks: CPU per delivery", _figure("webhooks.many_cpu_us"), "µs"),
    Row("1 partition: CPU per delivery", _figure("partitions.one_cpu_us"), "µs"),
    Row("48 partitions: CPU per delivery", _figure("partitions.many_cpu_us"), "µs"),
]


@dataclass(frozen=True)
class Line:
    """A row with its figures."""

    row: Row
    median: float
    lowest: float
    highest: float

    @property
    def verdict(self) -> str:
        """`yes`, `no` or nothing."""
        return {True: "yes", False: "no", None: ""}[self.row.met(self.median)]


def lines_of(rows: list[Row], rounds: list[Figures]) -> list[Line]:
    """The rows that the rounds have figures for. A ratio is taken within each round, then the median of them."""
    found = []
    for row in rows:
        values = []
        for figures in rounds:
            try:
                values.append(row.value(figures))
            except KeyError:
                continue
        if values:
            found.append(Line(row, statistics.median(values), min(values), max(values)))
    return found


def table(rounds: list[Figures]) -> str:
    """The whole table in Markdown: ratios first."""
    text = ["| | median | lowest – highest | goal | met |", "|---|--:|--:|--:|---|"]
    for rows in (RATIOS, ABSOLUTES):
        for line in lines_of(rows, rounds):
            unit = f" {line.row.unit}" if line.row.unit else ""
            spread = f"{_short(line.lowest)} – {_short(line.highest)}"
            text.append(
                f"| {line.row.text} | {_short(line.median)}{unit} | {spread} | {line.row.goal} | {line.verdict} |"
            )
    return "\n".join(text)


def as_json(rounds: list[Figures], run: dict[str, Any]) -> dict[str, Any]:
    """Everything for other programs: the run, the figures of each round, the table's lines."""
    lines = [
        {
            "text": line.row.text,
            "unit": line.row.unit,
            "median": line.median,
            "lowest": line.lowest,
            "highest": line.highest,
            "goal": line.row.goal or None,
            "met": line.row.met(line.median),
        }
        for rows in (RATIOS, ABSOLUTES)
        for line in lines_of(rows, rounds)
    ]
    return {"run": run, "lines": lines, "rounds": rounds}


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes the results."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_docs(path: Path, rounds: list[Figures], run: dict[str, Any]) -> None:
    """Puts the table between the markers of docs/performance.md."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise RuntimeError(f"{path} has lost its markers: {BEGIN} and {END}")
    facts = "\n".join(f"- {name}: `{value}`" for name, value in run.items())
    path.write_text(f"{before}{BEGIN}\n\n{facts}\n\n{table(rounds)}\n\n{END}{after}", encoding="utf-8")


def _short(value: float) -> str:
    """Three digits that count."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
