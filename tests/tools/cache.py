"""The folder where fetched parts are kept between runs."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/docmap-webhookd`, else `~/.cache/docmap-webhookd`; made when it is not there."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "docmap-webhookd"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Holds a lock of this name against other runs that fill the same cache."""
    with open(cache_folder() / f".{name}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
