"""What the quickstart prints."""

from __future__ import annotations

import datetime
import sys
from typing import Any

from receivers.journal import Request

_COLOURS = {"good": "32", "bad": "31", "dim": "2", "bold": "1"}


def paint(text: str, colour: str) -> str:
    """A text in a colour, where the output is a terminal."""
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if sys.stdout.isatty() else text


def say(text: str = "") -> None:
    """Prints a line at once."""
    print(text, flush=True)


def step(text: str) -> None:
    """Announces a part of the show."""
    say(f"\n{paint(f'== {text}', 'bold')}")


def ready(what: str, where: str) -> None:
    """One part is up."""
    say(f"   {paint('ready', 'good')}  {what:<28} {paint(where, 'dim')}")


def arrival(request: Request, purpose: str, problem: str | None) -> None:
    """One webhook has arrived."""
    time = datetime.datetime.fromtimestamp(request.time).strftime("%H:%M:%S.%f")[:-3]
    verdict = paint("signatures valid", "good") if problem is None else paint(problem, "bad")
    event, event_id = request.headers.get("x-docmap-event", "?"), request.headers.get("webhook-id", "?")
    say(f"   {time}  {event:<21} {event_id:<14} → {purpose:<22} {verdict}")


def delivery(record: dict[str, Any]) -> None:
    """One line of the delivery log."""
    good = record["status"] == "success"
    status = paint(f"{record['status']:<8}", "good" if good else "bad")
    what = f"{record['event']:<21} {record['eventId']:<14}"
    outcome = record["error"] or record["httpStatus"]
    say(f"   {record['createdAt']}  {what} {status} {record['durationMs']:>5} ms  {outcome}")


def next_steps(api_url: str, key: str, certificate: str, commands: dict[str, str]) -> None:
    """What to try next, to copy and paste into another terminal."""
    step("try next, in another terminal")
    say(f"   export DOCMAP_API_KEY={key}")
    authorization = '-H "Authorization: Bearer $DOCMAP_API_KEY"'
    say(f"   curl -sw '\\n' {api_url}/v1/webhooks {authorization}")
    say(f"   curl -sw '\\n' '{api_url}/v1/webhooks/deliveries?limit=5' {authorization}")
    body = f'\'{{"url": "{certificate}", "events": ["extraction.failed"]}}\''
    say(f"   curl -sw '\\n' -X POST {api_url}/v1/webhooks {authorization} \\")
    say(f"        -H 'Content-Type: application/json' -d {body}")
    say(f"   curl -sw '\\n' {api_url}/ready; curl -sw '\\n' {api_url}/metrics")
    for purpose, command in commands.items():
        say(f"   {command:<60} {paint(f'# {purpose}', 'dim')}")
    say("\nRunning; webhooks appear as they arrive. Ctrl-C ends everything.")
