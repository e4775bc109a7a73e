"""What has to stay at hand, whatever it costs.

Invariant: the newest versions of each model, and every version that something serves or could be rolled back
to, are kept; where it is not known what is served, everything is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from maestro_cli.cost.storage.model import StoredVersion

NEWEST = 3  # of each model
# also in JSON within JSON, as the value of an environment variable, and in a list of them
_ONE = r"v?[0-9]{1,18}"
_VERSION = re.compile(rf"(?i)versions?(?:\W{{0,8}}value)?\W{{0,8}}((?:{_ONE}\W{{1,8}})*{_ONE})(?![0-9])")
_NUMBER = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class References:
    """Who needs which versions: `(model, version)` → words such as `deployment/fraud, revision 4`.

    `unknown` says why that could not be found out, and is empty where it could.
    """

    needed: Mapping[tuple[str, int], tuple[str, ...]]
    unknown: str = ""


def named_versions(
    texts: Iterable[tuple[str, str]], models: Collection[str]
) -> dict[tuple[str, int], list[str]]:
    """Which versions of these models are named in texts, each given as (where, text), and where.

    `MODEL=1`, `MODEL/1`, `MODEL@1`, `MODEL:1` and `MODEL:v1` are names, and so is a version anywhere in a
    text that has the model too (`model: fraud`, `version: 1`): rather many too many than one that is missed.
    """
    found: dict[tuple[str, int], list[str]] = {}
    if not models:
        return found
    ordered = sorted(models, key=len, reverse=True)
    pattern = re.compile(
        rf"(?<![\w.-])({'|'.join(map(re.escape, ordered))})[=/@:]v?0*([0-9]{{1,18}})(?![0-9])"
    )
    for where, text in texts:
        versions = [
            number for found_there in _VERSION.findall(text) for number in _NUMBER.findall(found_there)
        ]
        named = [(model, version) for model in ordered if model in text for version in versions]
        for model, version in (*pattern.findall(text), *named):
            places = found.setdefault((model, int(version)), [])
            if where not in places:
                places.append(where)
    return found


def kept_versions(
    versions: Iterable[StoredVersion], references: References, newest: int = NEWEST
) -> dict[StoredVersion, str]:
    """The versions that stay, each with why."""
    by_model: dict[str, list[StoredVersion]] = {}
    for one in versions:
        by_model.setdefault(one.model, []).append(one)
    kept: dict[StoredVersion, str] = {}
    for stored in by_model.values():
        young = _newest(stored, newest)
        for one in stored:
            if why := _why(one, references, young, newest):
                kept[one] = why
    return kept


def _newest(stored: list[StoredVersion], count: int) -> Collection[int]:
    numbers = sorted({one.version for one in stored}, reverse=True)
    return numbers[: max(count, 1)]


def _why(one: StoredVersion, references: References, young: Collection[int], newest: int) -> str:
    if needed := references.needed.get((one.model, one.version)):
        return f"needed by {needed[0]}" + (f" and {len(needed) - 1} more" if len(needed) > 1 else "")
    if references.unknown:
        return f"what is served is not known: {references.unknown}"
    if one.version in young:
        return "the newest version" if newest <= 1 else f"one of the newest {newest} versions"
    return ""
