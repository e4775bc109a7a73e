"""What one run of an experiment has to keep to itself, taken out of whatever is written or said of it.

Invariant: what a secret is resolved to is known before anything is performed with it. Numbers are secrets as
texts are. What identifies a run, a fault or a target is never changed: by that things are taken back.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

from maestro_cli.core.files import write_atomically
from maestro_cli.core.progress import Progress
from maestro_cli.core.redaction import Redactor

Fact = TypeVar("Fact")
MARK = "«secret»"
SHORTEST = 4  # characters of a number that is looked for, as of a text (core.redaction)
# What holds words, in records and in findings, and not names.
WORDS = frozenset(
    ("why", "what", "error", "reason", "reasons", "answers", "residue", "worker", "undo_failures")
)
SAID = frozenset(("exception", "output"))  # what activities gave, in a Chaos Toolkit journal


class Secrecy:
    """Thread-safe; `clean` takes out the secrets of the context besides."""

    def __init__(
        self,
        document: Mapping[str, Any],
        given: Mapping[str, Any],
        clean: Callable[[Any], Any] = lambda value: value,
    ) -> None:
        self._of_context = clean
        self._texts: frozenset[str] = frozenset(literal_secrets(document, given))
        self._redactor = Redactor(self._texts)

    def learn(self, resolved: Any) -> None:
        """What the child resolved its secrets to, whatever shape that has."""
        self._texts |= frozenset(_texts(resolved))
        self._redactor = Redactor(self._texts)

    def clean(self, value: Any) -> Any:
        """A text, or a JSON-like value with its keys."""
        return self._of_context(self._redactor.clean_value(self._without_numbers(value)))

    def words(self, fact: Fact) -> Fact:
        """A record, a journal or a frozen finding, in whose words no secret is."""
        return cast(Fact, self._worded(fact))

    def clean_file(self, path: Path) -> None:
        """Rewrite a file of text in which there is one. Raises OSError."""
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        cleaned = self.clean(text)
        if cleaned != text:
            write_atomically(path, cleaned.encode("utf-8", "surrogateescape"), mode=0o600)

    def _worded(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: self._part(str(key), one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self._worded(one) for one in value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [one.name for one in dataclasses.fields(value)]
            return dataclasses.replace(
                value, **{name: self._part(name, getattr(value, name)) for name in names}
            )
        return value

    def _part(self, name: str, value: Any) -> Any:
        if name in SAID or (name in WORDS and isinstance(value, str)):
            return self.clean(value)
        if name in WORDS and isinstance(value, list | tuple):
            parts = (self.clean(one) if isinstance(one, str) else self._worded(one) for one in value)
            return type(value)(parts)
        return self._worded(value)

    def _without_numbers(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: self._without_numbers(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._without_numbers(one) for one in value]
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return MARK if is_number and len(str(value)) >= SHORTEST and str(value) in self._texts else value


class Discreet:
    """A front end's progress without secrets."""

    def __init__(self, progress: Progress, clean: Callable[[str], str]) -> None:
        self._progress, self._clean = progress, clean

    def phase(self, name: str, text: str) -> None:
        self._progress.phase(name, self._clean(text))

    def update(self, text: str) -> None:
        self._progress.update(self._clean(text))

    def note(self, text: str) -> None:
        self._progress.note(self._clean(text))


def literal_secrets(document: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Values that stand in the file or a --var-file as secrets; of a reference its default alone."""
    return [text for part in (document.get("secrets") or {}, given) for text in _texts(part, written=True)]


def _texts(value: Any, *, written: bool = False) -> Iterator[str]:
    """`written`: as in a file, where a mapping may be a reference."""
    if isinstance(value, Mapping):
        if written and value.get("type") in ("env", "vault"):
            yield from _texts(value.get("default"), written=True)
            return
        for one in value.values():
            yield from _texts(one, written=written)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one, written=written)
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and str(value):
        yield str(value)
