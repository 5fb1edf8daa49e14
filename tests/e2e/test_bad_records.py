"""Records that break the rules for events: stored whole with the reason, and in nobody's way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable

from e2e.site import Site
from receivers.journal import Request
from tools.events import COMPLETED, encode, event
from tools.receivers import Receiver
from tools.records import Record
from tools.waiting import wait_for

MAX_EVENT_BYTES = 65536
GOOD_EVENTS = 100


@dataclass(frozen=True)
class Bad:
    """A value that breaks a rule, and a pattern that its stored reason holds."""

    name: str
    value: bytes | None
    reason: str


def with_field(name: str, value: object) -> bytes:
    """A good event but for one field."""
    return encode({**event(COMPLETED, "uid_1", "extract-x"), name: value})


def without_field(name: str) -> bytes:
    """A good event but for one missing field."""
    fields = event(COMPLETED, "uid_1", "extract-x")
    del fields[name]
    return encode(fields)


BAD = [
    Bad("null value", None, "null"),
    Bad("empty value", b"", "not JSON"),
    Bad("not UTF-8", encode(event(COMPLETED, "uid_1", "extract-x")).replace(b"uid_1", b"uid_\xff"), "not UTF-8"),
    Bad("cut off", encode(event(COMPLETED, "uid_1", "extract-x"))[:-10], "not JSON"),
    Bad("no JSON at all", b"hello", "not JSON"),
    Bad("two values", encode(event(COMPLETED, "uid_1", "extract-x")) * 2, "not JSON"),
    Bad("an array", b"[1,2]", "not a JSON object.*array"),
    Bad("a string", b'"extraction.completed"', "not a JSON object.*string"),
    Bad("no event", without_field("event"), "event.*missing"),
    Bad("unknown event", with_field("event", "extraction.started"), "event.*extraction.started"),
    Bad("event of a wrong type", with_field("event", 7), "event.*number"),
    Bad("no userId", without_field("userId"), "userId.*missing"),
    Bad("empty userId", with_field("userId", ""), "userId.*empty"),
    Bad("long userId", with_field("userId", "u" * 129), "userId.*129"),
    Bad("no extractionId", without_field("extractionId"), "extractionId.*missing"),
    Bad("extractionId of a wrong type", with_field("extractionId", ["x"]), "extractionId.*array"),
    Bad("bad characters in id", with_field("id", "evt 1"), "id.*evt 1"),
    Bad("createdAt is no time", with_field("createdAt", "yesterday"), "createdAt.*yesterday"),
    Bad("data is no object", with_field("data", "text"), "data.*string"),
    Bad("too large", with_field("data", {"text": "x" * MAX_EVENT_BYTES}), f"{MAX_EVENT_BYTES}"),
]


def test_bad_records_are_kept_with_their_reason(make_site: Callable[[], Site], receiver: Receiver) -> None:
    assert len(BAD) == 20
    site = make_site()
    site.daemon.settings.set("kafka", max_event_bytes=MAX_EVENT_BYTES)
    site.daemon.start_ready()
    hook = site.hook("uid_1", receiver.url("/good"))

    good = [site.record("uid_1", number=number) for number in range(GOOD_EVENTS)]
    # All in one partition, a bad one after every fifth good one.
    mixed: list[Record] = []
    for i, record in enumerate(good):
        mixed.append(Record(record.topic, record.value, key="uid_1", partition=0))
        if i % 5 == 4:
            mixed.append(Record(record.topic, BAD[i // 5].value, key="uid_1", partition=0))
    site.write(mixed)
    site.wait_settled()

    requests: list[Request] = wait_for(
        lambda: receiver.requests() if len(receiver.requests()) >= GOOD_EVENTS else None, "all good events arrive"
    )
    assert sorted(request.body for request in requests) == sorted(record.value or b"" for record in good)
    check_stored(site, mixed)
    assert len(site.api("uid_1").deliveries(webhookId=hook.id)) == GOOD_EVENTS
    assert site.daemon.metric("docmap_records_rejected_total") == len(BAD)
    warnings = [entry for entry in site.daemon.log_entries() if entry["level"] == "warning"]
    assert len([entry for entry in warnings if "offset" in str(entry)]) == len(BAD), "each is logged once"


def check_stored(site: Site, written: list[Record]) -> None:
    """Every bad record is stored once, whole, at its place, and no good one is."""
    rows = site.sql(
        "SELECT kafka_offset, topic, partition, coalesce(encode(value, 'hex'), 'null'), reason"
        " FROM rejected_events ORDER BY kafka_offset"
    )
    bad_values = [bad.value for bad in BAD]
    places = [offset for offset, record in enumerate(written) if record.value in bad_values]
    assert [int(row[0]) for row in rows] == places
    problems = []
    for bad, row in zip(BAD, rows):
        expected = "null" if bad.value is None else bad.value.hex()
        right = row[1:4] == [site.completed_topic, "0", expected] and re.search(bad.reason, "|".join(row[4:]))
        if not right:
            problems.append(f"{bad.name}: {row[1:3]} {row[4:]}")
    assert not problems, "\n".join(problems)
