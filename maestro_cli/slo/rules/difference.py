"""What of the rules for objectives is loaded, against what should be.

Invariant: a rule is found by its name and by whose it is; everything else of it is compared. Of several that
are of one name and one objective, those are compared that are most alike. Rules that are of no objective are
nobody's business here. Text of what is loaded is untrusted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from maestro_cli.core.facts.rules import LoadedRule
from maestro_cli.core.quantities import parse_duration_seconds
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.slo.rules.alerts import ABSENT_NAME, ALERT_NAME
from maestro_cli.slo.rules.naming import NAMES
from maestro_cli.slo.rules.normal import normal_query

# the labels that say whose a rule is, and over which window; the first is of every rule of that naming
_WHOSE = ("objective", "sloth_id", "sloth_window", "burn_window")
_ALERTS = (ALERT_NAME, ABSENT_NAME)
_RECORDS = tuple(names.ratio for names in NAMES.values())
Key = tuple[str, str, tuple[tuple[str, str], ...]]


class Verdict(Enum):
    """How a rule that should be there is, or that it should not be."""

    MISSING = "missing"
    EXTRA = "extra"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Difference:
    """`what` differs of one rule: `expr`, `for`, `labels.team`, `annotations.summary`; "" of a whole one."""

    verdict: Verdict
    kind: str
    name: str
    objective: str
    window: str
    what: str = ""
    wanted: str = ""
    loaded: str = ""
    place: str = ""


def rules_of(document: Mapping[str, Any]) -> tuple[LoadedRule, ...]:
    """Those of a rule file's document; raises ValueError for a time that is none, KeyError for no rule."""
    return tuple(
        LoadedRule(
            kind="alert" if "alert" in rule else "record",
            name=str(rule["alert"] if "alert" in rule else rule["record"]),
            query=str(rule["expr"]),
            labels={name: str(text) for name, text in (rule.get("labels") or {}).items()},
            annotations={name: str(text) for name, text in (rule.get("annotations") or {}).items()},
            hold_seconds=parse_duration_seconds(str(rule.get("for") or "0")),
            keep_seconds=parse_duration_seconds(str(rule.get("keep_firing_for") or "0")),
            group=str(group.get("name", "")),
        )
        for group in document["groups"]
        for rule in group.get("rules") or ()
    )


def differences(wanted: Iterable[LoadedRule], loaded: Iterable[LoadedRule]) -> tuple[Difference, ...]:
    """What is missing, extra or different, in the order of what is wanted; extra ones last."""
    should = _by_key(wanted)
    names = {(kind, name) for kind, name, _ in should}
    found = _by_key(rule for rule in loaded if _is_ours(rule, names))
    told = []
    for key, rules in should.items():
        have = found.pop(key, [])
        pairs = _pairs(rules, have)
        for index, rule in enumerate(rules):
            told += (
                list(_compared(rule, have[pairs[index]]))
                if index in pairs
                else [_told(Verdict.MISSING, rule)]
            )
        taken = set(pairs.values())
        told += [_told(Verdict.EXTRA, twin, what="twice") for at, twin in enumerate(have) if at not in taken]
    told += [_told(Verdict.EXTRA, rule) for have in found.values() for rule in have]
    return tuple(told)


def _by_key(rules: Iterable[LoadedRule]) -> dict[Key, list[LoadedRule]]:
    found: dict[Key, list[LoadedRule]] = {}
    for rule in rules:
        found.setdefault(_key(rule), []).append(rule)
    return found


def _pairs(wanted: list[LoadedRule], loaded: list[LoadedRule]) -> dict[int, int]:
    """Which is which, by place: the two that differ least first. Alerts over one long window have one key."""
    if len(wanted) == len(loaded) == 1:
        return {0: 0}
    differing = sorted(
        (sum(1 for _ in _compared(mine, other)), at, place)
        for at, mine in enumerate(wanted)
        for place, other in enumerate(loaded)
    )
    found: dict[int, int] = {}
    for _, at, place in differing:
        if at not in found and place not in found.values():
            found[at] = place
    return found


def _is_ours(rule: LoadedRule, names: set[tuple[str, str]]) -> bool:
    """Whether a loaded rule was made of an objective: by its name, and because it says whose it is."""
    if not (rule.labels.get("objective") or rule.labels.get("sloth_id")):
        return False
    ours = rule.name in _ALERTS if rule.kind == "alert" else rule.name.startswith(_RECORDS)
    return ours or (rule.kind, rule.name) in names


def _key(rule: LoadedRule) -> Key:
    whose = tuple((label, rule.labels[label]) for label in _WHOSE if label in rule.labels)
    return rule.kind, rule.name, whose


def _compared(wanted: LoadedRule, loaded: LoadedRule) -> Iterator[Difference]:
    if normal_query(wanted.query) != normal_query(loaded.query):
        yield _told(Verdict.DIFFERENT, wanted, loaded, "expr", wanted.query, loaded.query)
    for what, mine, other in (
        ("for", wanted.hold_seconds, loaded.hold_seconds),
        ("keep_firing_for", wanted.keep_seconds, loaded.keep_seconds),
    ):
        if mine != other:
            yield _told(Verdict.DIFFERENT, wanted, loaded, what, f"{mine:g}s", f"{other:g}s")
    for kind, mine_all, other_all in (
        ("labels", wanted.labels, loaded.labels),
        ("annotations", wanted.annotations, loaded.annotations),
    ):
        for name in sorted(mine_all.keys() | other_all.keys()):
            if mine_all.get(name) != other_all.get(name):
                mine_text, other_text = mine_all.get(name, ""), other_all.get(name, "")
                yield _told(Verdict.DIFFERENT, wanted, loaded, f"{kind}.{name}", mine_text, other_text)


def _told(
    verdict: Verdict, rule: LoadedRule, other: LoadedRule | None = None, what: str = "", mine: str = "",
    theirs: str = "",
) -> Difference:  # fmt: skip
    labels = rule.labels
    found = other or (rule if verdict is Verdict.EXTRA else None)
    place = "" if found is None else "/".join(filter(None, (found.file, found.group)))
    return Difference(
        verdict,
        rule.kind,
        Untrusted(rule.name),
        Untrusted(labels.get("objective") or labels.get("sloth_id") or ""),
        Untrusted(labels.get("burn_window") or labels.get("sloth_window") or ""),
        Untrusted(what),
        mine,
        Untrusted(theirs),
        Untrusted(place),
    )
