"""Extraction events for tests and for the quickstart."""

from __future__ import annotations

import datetime
import json
from typing import Any

COMPLETED = "extraction.completed"
FAILED = "extraction.failed"


def now_iso() -> str:
    """The time now as the contract writes times."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"


def event(kind: str, user: str, extraction: str, **more: Any) -> dict[str, Any]:
    """One event with the fields that every event has, and `more`."""
    return {"event": kind, "userId": user, "extractionId": extraction, "createdAt": now_iso(), **more}


def encode(value: dict[str, Any]) -> bytes:
    """An event as compact JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
