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
        self.keep = False
        """Set when something is to be looked at afterwards: the folder then stays."""

    def remove(self) -> None:
        """Removes the folder and all in it, unless it is to be kept."""
        if self.keep:
            return
        shutil.rmtree(self.path, ignore_errors=True)
