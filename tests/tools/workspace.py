"""The temporary folder of one run."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path


class Workspace:
    """A folder that goes away at the end. Other users may pass through it (PostgreSQL's files lie inside)."""

    def __init__(self, purpose: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=f"docmap-{purpose}-"))
        self.path.chmod(0o711)

    def remove(self) -> None:
        """Removes the folder and all in it."""
        shutil.rmtree(self.path, ignore_errors=True)
