"""Prometheus text format 0.0.4. Invariant: label values are escaped; families come out once, sorted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Family:
    kind: str
    help: str
    samples: list[str] = field(default_factory=list)


class Exposition:
    """Collects samples and writes them as one page."""

    def __init__(self) -> None:
        self._families: dict[str, Family] = {}

    def family(self, name: str, kind: str, help_text: str) -> None:
        """Declare a metric, once, before its samples."""
        self._families.setdefault(name, Family(kind, help_text))

    def add(self, name: str, labels: Mapping[str, str], value: float) -> None:
        """One sample of a declared metric."""
        inside = ",".join(f'{label}="{escaped(text)}"' for label, text in labels.items())
        number = str(int(value)) if float(value).is_integer() else repr(float(value))
        self._families[name].samples.append(f"{name}{{{inside}}} {number}" if inside else f"{name} {number}")

    def text(self) -> str:
        """The page; families without samples are left out."""
        parts = []
        for name, family in sorted(self._families.items()):
            if family.samples:
                parts.append(f"# HELP {name} {family.help}\n# TYPE {name} {family.kind}\n")
                parts.append("\n".join(family.samples) + "\n")
        return "".join(parts)


def escaped(text: str) -> str:
    """A label value as the format wants it."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
