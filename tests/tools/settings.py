"""The daemon's configuration file, as Python values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Section = dict[str, Any]


class Settings:
    """Sections of keys. `render` gives the TOML text."""

    def __init__(self, sections: dict[str, Section]) -> None:
        self._sections = {name: dict(section) for name, section in sections.items()}

    def set(self, section: str, **keys: Any) -> Settings:
        """Adds or replaces keys of a section, and returns itself."""
        self._sections.setdefault(section, {}).update(keys)
        return self

    def get(self, section: str, key: str) -> Any:
        """The value of a key that is set."""
        return self._sections[section][key]

    def copy(self) -> Settings:
        """Another configuration with the same values."""
        return Settings(self._sections)

    def render(self) -> str:
        """The text of the configuration file."""
        lines: list[str] = []
        for name, section in self._sections.items():
            lines.append(f"[{name}]")
            # A JSON string, number, boolean or list of those is TOML too. Keys may hold dots (Kafka's properties do).
            lines += [f"{_key(key)} = {json.dumps(_plain(value))}" for key, value in section.items()]
            lines.append("")
        return "\n".join(lines)


def _key(key: str) -> str:
    return json.dumps(key) if "." in key else key


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value
