"""What configures a workload, who edited it when, and what changed in it.

Invariant: pure, and bounded; of a Secret there is its name and the time alone. Two accounts of one edit, such
as of the cluster and of the journal, are one edit.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from maestro_cli.changes.references import mounted_config_maps, read_by
from maestro_cli.changes.routing_document import SCHEMA, named_versions, read_document
from maestro_cli.core.clock import seconds_between
from maestro_cli.core.errors import UsageError
from maestro_cli.core.facts.cluster import ConfigMap, Workload
from maestro_cli.core.facts.edits import WrittenObject
from maestro_cli.core.refs import ObjectRef
from maestro_cli.core.secret_words import hide_words, sounds_secret
from maestro_cli.incidents.intake.correlation import capped

MAX_CHANGES = 20
MAX_READ = 8  # config maps of one workload whose content is looked at
MAX_TEXT = 65_536
_SAME_SECONDS = 5.0  # two accounts of one edit may be so far apart, besides what each leaves open
_AND = " and "  # between the sources that tell of one edit
_OWN_METADATA = ("kube-root-ca.crt",)
_WORDS = {"HorizontalPodAutoscaler": "hpa"}


@dataclass(frozen=True, slots=True)
class ConfigEdit:
    """One edit of something that a workload uses. It happened between `earliest` and `at`."""

    subject: str  # "configmap ml/fraud-routing"
    at: datetime
    earliest: datetime
    by: str  # a manager of fields, or who made the change; "" where nobody tells
    told_by: str  # managedFields, prometheus, journal
    uses: str  # how the workload uses it, in words
    fields: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    change: str = ""  # the change of maestro that it was
    routing: bool = False
    created: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """Something that a workload uses, and how."""

    ref: ObjectRef
    words: str

    @property
    def subject(self) -> str:
        return subject_of(self.ref)


@dataclass(frozen=True, slots=True)
class Routing:
    """The routing document of a workload; `versions` are those that it names, by model."""

    subject: str
    versions: frozenset[tuple[str, int]]


def subject_of(ref: ObjectRef) -> str:
    """`configmap ml/fraud-routing`."""
    return f"{_WORDS.get(ref.kind, ref.kind.lower())} {ref.namespace}/{ref.name}"


def uses_of(workload: Workload, objects: Iterable[WrittenObject]) -> tuple[Use, ...]:
    """What the pods read, what sets their number and what brings them requests."""
    ref, found = workload.ref, {}
    mounted = mounted_config_maps(workload.template)
    for one in read_by(workload.template):
        words = "mounts" if one.name in mounted and one.kind == "ConfigMap" else "reads"
        use = Use(ObjectRef(one.kind, ref.namespace, one.name), f"{ref} {words} it")
        found[use.subject] = use
    labels = (workload.template.get("metadata") or {}).get("labels") or {}
    for item in objects:
        words = ""
        if item.target == f"{ref.kind}/{ref.name}":
            words = f"it sets the replicas of {ref}"
        elif item.ref.kind == "Service" and (
            (item.selector and item.selector.items() <= labels.items()) or item.ref.name == ref.name
        ):
            words = f"it brings requests to {ref}"
        if words:
            found.setdefault(subject_of(item.ref), Use(item.ref, words))
    return tuple(found[subject] for subject in sorted(found) if found[subject].ref.name not in _OWN_METADATA)


def edits_of(
    uses: Sequence[Use],
    objects: Iterable[WrittenObject],
    versions: Mapping[str, Sequence[tuple[datetime, datetime]]],
    journaled: Iterable[ConfigEdit],
    since: datetime,
) -> tuple[ConfigEdit, ...]:
    """Every edit since an instant of what is used, newest first; `versions` are those that metrics saw.

    What the journal knows from before an object was created was of another one of its name.
    """
    by_subject, written = {use.subject: use for use in uses}, tuple(objects)
    born = {subject_of(item.ref): item.created_at for item in written}
    accounts: list[ConfigEdit] = [
        replace(edit, uses=by_subject[edit.subject].words)
        for edit in journaled
        if edit.subject in by_subject and edit.at >= max(since, born.get(edit.subject, since))
    ]
    for item in written:
        if (use := by_subject.get(subject_of(item.ref))) is not None:
            accounts += _written(use, item, since)
    for subject, times in versions.items():
        if (use := by_subject.get(subject)) is not None:
            accounts += [
                ConfigEdit(subject, at, earliest, "", "prometheus", use.words)
                for earliest, at in times
                if at >= since
            ]
    accounts.sort(key=lambda edit: (edit.subject, edit.at, edit.told_by, edit.by))
    return tuple(sorted(_joined(accounts), key=lambda edit: (-edit.at.timestamp(), edit.subject)))


def _written(use: Use, item: WrittenObject, since: datetime) -> Iterator[ConfigEdit]:
    for write in item.writes:
        if write.at >= since:
            created = abs(seconds_between(item.created_at, write.at)) < 1
            earliest = write.at - timedelta(seconds=1)
            yield ConfigEdit(
                use.subject, write.at, earliest, capped(str(write.manager), 128), "managedFields",
                use.words, tuple(capped(str(field), 200) for field in write.fields), created=created,
            )  # fmt: skip


def _joined(accounts: Sequence[ConfigEdit]) -> Iterator[ConfigEdit]:
    """Accounts of one edit put together; they are sorted by subject and time."""
    last: ConfigEdit | None = None
    for edit in accounts:
        if last is not None and last.subject == edit.subject and _is_same(last, edit):
            last = _both(last, edit)
            continue
        if last is not None:
            yield last
        last = edit
    if last is not None:
        yield last


def _is_same(one: ConfigEdit, other: ConfigEdit) -> bool:
    """Other sources tell of it, and their times meet; two writes of one source are two edits."""
    if _sources(one) & _sources(other):
        return False
    return seconds_between(one.at, other.earliest) <= _SAME_SECONDS


def _sources(edit: ConfigEdit) -> frozenset[str]:
    return frozenset(edit.told_by.split(_AND))


def _both(one: ConfigEdit, other: ConfigEdit) -> ConfigEdit:
    narrow = min((one, other), key=lambda edit: (seconds_between(edit.earliest, edit.at), edit.told_by))
    told = _AND.join([*one.told_by.split(_AND), *other.told_by.split(_AND)])
    return replace(
        narrow,
        by=next((edit.by for edit in (one, other) if edit.change), "") or one.by or other.by,
        told_by=told,
        fields=one.fields or other.fields,
        changes=one.changes or other.changes,
        change=one.change or other.change,
        routing=one.routing or other.routing,
        created=one.created or other.created,
    )


def routing_of(configs: Iterable[ConfigMap]) -> Routing | None:
    """The routing document among config maps, and the versions that it names."""
    for config in sorted(configs, key=lambda one: one.name):
        for key, text in sorted(config.data.items()):
            if SCHEMA not in text[:MAX_TEXT] or len(text) > MAX_TEXT:
                continue
            try:
                document = read_document(text, key)
            except UsageError:
                continue
            return Routing(subject_of(config.ref), frozenset(named_versions(document)))
    return None


def text_changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Lines that differ, `key: - old` and `key: + new`, at most twenty; what sounds secret is not shown."""
    found: list[str] = []
    for key in sorted({*before, *after}):
        old, new = (side.get(key, "")[:MAX_TEXT].splitlines() for side in (before, after))
        if old == new:
            continue
        for line in difflib.unified_diff(old, new, n=0, lineterm=""):
            if line[:3] not in ("---", "+++") and line[:1] in "+-":
                found.append(_shown(key, line))
            if len(found) >= MAX_CHANGES:
                return tuple(found)
    return tuple(found)


def _shown(key: str, line: str) -> str:
    name = line[1:].partition(":")[0].partition("=")[0]
    if sounds_secret(key) or sounds_secret(name):
        return f"{capped(key, 100)}: changed (not shown)"
    words = " ".join(hide_words(line[1:].split()))
    return f"{capped(key, 100)}: {line[0]} {capped(words, 200)}"
