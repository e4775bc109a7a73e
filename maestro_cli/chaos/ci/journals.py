"""Reads a Chaos Toolkit journal that somebody hands over. Invariant: its form is checked first."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from maestro_cli.chaos.ci.outcome import Outcome, outcome_of
from maestro_cli.core.decoding import ready
from maestro_cli.core.errors import InvalidFile, MaestroError
from maestro_cli.core.files import open_file, unusable

MAX_BYTES = 64 << 20


class _Run(msgspec.Struct):
    """One activity."""

    activity: dict[str, Any] | None = None
    exception: list[Any] | None = None


class _State(msgspec.Struct):
    probes: list[_Run] | None = None


class _States(msgspec.Struct):
    before: _State | None = None
    after: _State | None = None
    during: list[_State] | None = None


class _Effect(msgspec.Struct):
    name: str
    outcome: str
    why: str
    seconds: float | None = None


class _Recovery(msgspec.Struct):
    name: str
    recovered: bool
    why: str
    seconds: float | None = None


class _Burn(msgspec.Struct):
    objective: str
    words: str
    share: float | None = None


class _Burned(msgspec.Struct):
    objective: str
    words: str
    why: str = ""
    share: float | None = None
    share_of_seen: float | None = None
    share_of_left: float | None = None
    foretold: float | None = None
    at_least: float | None = None
    at_most: float | None = None


class _Reason(msgspec.Struct):
    rule: str
    what: str
    code: int


class _Ours(msgspec.Struct):
    """What a gate reads of maestro's part."""

    run: str
    verdict: str
    code: int
    coverage: float
    reasons: list[_Reason]
    residue: list[str]
    proof_of_effect: list[_Effect]
    proof_of_recovery: list[_Recovery]
    predicted_burn: list[_Burn] = []
    actual_burn: list[_Burned] = []
    targets: list[str] = []


class _Journal(msgspec.Struct):
    experiment: dict[str, Any]
    status: str
    steady_states: _States | None = None
    run: list[_Run] | None = None
    rollbacks: list[_Run] | None = None
    maestro: _Ours | None = None


def is_journal(path: Path) -> bool:
    """Whether a file says that it is one, and no experiment; one that cannot be read is none."""
    try:
        found = _loaded(path) if path.suffix == ".json" else None
    except MaestroError:
        return False
    return isinstance(found, Mapping) and "experiment" in found and "method" not in found


def read_outcome(path: Path) -> Outcome:
    """How the run came out whose journal this is. Raises InvalidFile."""
    found = _loaded(path)
    try:
        msgspec.convert(found, ready(_Journal))
        name = path.stem if path.stem != "journal" else path.absolute().parent.name
        return outcome_of(name, str(path), found)
    except (msgspec.ValidationError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = f"{type(error).__name__}: {error}"[:200]
        what = "is no journal of Chaos Toolkit"
        raise InvalidFile(what, file=str(path), why=why, fix="give the journal as it was written") from error


def _loaded(path: Path) -> Any:
    try:
        with open_file(path) as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InvalidFile("cannot be read", file=str(path), why=unusable(path, error)) from error
    if len(raw) > MAX_BYTES:
        raise InvalidFile(f"is larger than {MAX_BYTES} bytes", file=str(path))
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InvalidFile("is not valid JSON", file=str(path), why=str(error)[:200]) from error
