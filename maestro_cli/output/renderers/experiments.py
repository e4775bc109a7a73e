"""Experiments, and what they would do, as views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.core.canonical import plain
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.quantities import format_duration, format_share
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.chaos.faults.fault import Fault
    from maestro_cli.chaos.guard.check import Answer, Burn, Chosen, Proposal
    from maestro_cli.chaos.model import Experiment

NOTHING = "nothing: the file only looks"
Entry = tuple[str, "Experiment | InvalidFile"]


def experiments_view(entries: Sequence[Entry]) -> Listing[Entry]:
    columns: tuple[Column[Entry], ...] = (
        Column("name", lambda entry: entry[0]),
        Column("title", lambda entry: _of(entry, "title"), priority=1, folds=True),
        Column("faults", lambda entry: ", ".join(_faults(entry)) or None),
        Column("target", lambda entry: _target(entry)),
        Column("duration", lambda entry: _duration(entry), right=True),
        Column("file", lambda entry: _of(entry, "file"), wide=True),
    )
    return Listing("chaos-list/v1", columns, entries, document=_document, empty="there is no experiment")


def _of(entry: Entry, name: str) -> str:
    found = entry[1]
    return found.what if isinstance(found, InvalidFile) else str(getattr(found, name))


def _faults(entry: Entry) -> list[str]:
    found = entry[1]
    guarded = None if isinstance(found, InvalidFile) else found.guarded
    return [one.fault for one in guarded.faults] if guarded else []


def _target(entry: Entry) -> str | None:
    found = entry[1]
    guarded = None if isinstance(found, InvalidFile) else found.guarded
    return ", ".join(dict.fromkeys(str(one.target) for one in guarded.faults)) or None if guarded else None


def _duration(entry: Entry) -> str | None:
    found = entry[1]
    guarded = None if isinstance(found, InvalidFile) else found.guarded
    seconds = guarded.duration_seconds if guarded else None
    return None if seconds is None else format_duration(seconds)


def _document(entry: Entry) -> dict[str, Any]:
    found = entry[1]
    if isinstance(found, InvalidFile):
        return {"name": entry[0], "file": found.file, "error": found.what}
    guarded = found.guarded
    return {
        "name": entry[0],
        "file": found.file,
        "title": found.title,
        "description": found.description,
        "tags": list(found.tags),
        "guarded": guarded is not None,
        "faults": [
            {
                "name": one.name, "fault": one.fault, "parameters": plain(one.parameters),
                "target": str(one.target), "count": str(one.target.count),
            }
            for one in (guarded.faults if guarded else ())
        ],
        "duration_seconds": guarded.duration_seconds if guarded else None,
        "stop": [str(one) for one in (guarded.stop if guarded else ())],
        "objectives": list(guarded.objectives if guarded else ()),
    }  # fmt: skip


def experiment_view(experiment: Experiment) -> Report:
    """One file: the hypothesis, the method, what bounds it."""
    entry: Entry = (experiment.name, experiment)
    document = _document(entry)
    hypothesis = experiment.document.get("steady-state-hypothesis") or {}
    rows: list[tuple[str, object]] = [
        ("title", experiment.title),
        ("description", experiment.description),
        ("hypothesis", hypothesis.get("title")),
        ("file", experiment.file),
        ("digest", experiment.digest),
        ("guarded", experiment.bounded),
        ("duration", _duration(entry)),
        ("stops when", "; ".join(document["stop"]) or None),
        ("objectives", ", ".join(document["objectives"]) or None),
    ]
    activities: Listing[tuple[str, Mapping[str, Any]]] = Listing(
        "chaos-activities/v1",
        (
            Column("part", lambda one: one[0]),
            Column("type", lambda one: one[1].get("type")),
            Column("activity", lambda one: one[1].get("name") or f"ref {one[1].get('ref')}", priority=1),
            Column("through", lambda one: _through(one[1]), folds=True),
        ),
        list(_activities(experiment)),
    )
    more = {**document, "digest": experiment.digest, "document": plain(experiment.document)}
    return Report("chaos-experiment/v1", more, (Heading(experiment.name), Fields(rows), activities))


def _activities(experiment: Experiment) -> list[tuple[str, Mapping[str, Any]]]:
    found = experiment.document
    probes = (found.get("steady-state-hypothesis") or {}).get("probes") or ()
    return [
        *(("steady state", one) for one in probes),
        *(("method", one) for one in found.get("method") or ()),
        *(("rollbacks", one) for one in found.get("rollbacks") or ()),
    ]


def _through(activity: Mapping[str, Any]) -> str:
    provider = activity.get("provider") or {}
    if provider.get("type") == "python":
        said = ", ".join(f"{key}={value}" for key, value in (provider.get("arguments") or {}).items())
        return f"{provider.get('module')}.{provider.get('func')}({said})"
    return str(provider.get("url") or provider.get("path") or "")


def faults_view(faults: Sequence[tuple[Fault, str]]) -> Listing[tuple[Fault, str]]:
    """The faults there are, and what hinders each in this context."""
    columns: tuple[Column[tuple[Fault, str]], ...] = (
        Column("fault", lambda one: one[0].name),
        Column("through", lambda one: one[0].provider),
        Column("what it does", lambda one: one[0].summary, priority=1, folds=True),
        Column("parameters", lambda one: ", ".join(one[0].options) or None),
        Column(
            "here", lambda one: one[1] or "yes", tone=lambda one: "warn" if one[1] else "good", folds=True
        ),
    )
    return Listing(
        "chaos-faults/v1",
        columns,
        faults,
        document=lambda one: {
            "fault": one[0].name, "provider": one[0].provider, "summary": one[0].summary,
            "parameters": {name: {"needed": option.needed} for name, option in one[0].options.items()},
            "lacks": one[1],
        },
    )  # fmt: skip


def plan_view(proposal: Proposal, answers: Sequence[Answer]) -> Report:
    """Exact targets, the burn at worst, what would stop it, and what the guard says."""
    experiment, guarded = proposal.experiment, proposal.experiment.guarded
    allowed = all(one.allows.value == "allowed" for one in answers)
    targets: Listing[Chosen] = Listing(
        "chaos-targets/v1",
        (
            Column("fault", lambda one: f"{one.order.name} ({one.order.fault})"),
            Column(
                "targets",
                lambda one: ", ".join(str(target.ref) for target in one.targets) or one.lacks or "none",
                priority=1, folds=True,
            ),
            Column("of", lambda one: len(one.candidates), right=True),
            Column("left alone", lambda one: ", ".join(str(c.ref) for c in one.control) or None, folds=True),
            Column("undo", lambda one: "; ".join(_undo(one)) or None, priority=1, folds=True),
        ),
        proposal.chosen,
        empty="it declares no fault: whom its own actions meet is not known"
        if experiment.unbound else "it declares no fault",
    )  # fmt: skip
    rows: list[tuple[str, object]] = [
        ("guard", "lets it through" if allowed else "refuses it"),
        *([] if experiment.acts else [("changes", NOTHING)]),
        ("not bounded", ", ".join(experiment.unbound) or None),
        ("seed", proposal.seed),
        ("duration", _duration((experiment.name, experiment))),
        ("stops when", "; ".join(map(str, guarded.stop)) if guarded and guarded.stop else None),
        ("burn at worst", "; ".join(map(_burn, proposal.burns)) or None),
    ]
    document = {
        "experiment": experiment.name,
        "digest": experiment.digest,
        "seed": proposal.seed,
        "at": proposal.at,
        "allowed": allowed,
        "would_inject": None if experiment.unbound and not proposal.chosen
        else sum(len(one.targets) for one in proposal.chosen),
        "only_looks": not experiment.acts,
        "unbounded": list(experiment.unbound),
        "faults": [_chosen_document(one) for one in proposal.chosen],
        "duration_seconds": guarded.duration_seconds if guarded else None,
        "stop": [str(one) for one in (guarded.stop if guarded else ())],
        "burns": plain(proposal.burns),
        "guard": [
            {
                "check": one.check, "allows": one.allows.value, "reason": one.reason, "fix": one.fix,
                "exit_code": int(one.exit_code) if one.allows.value != "allowed" else 0,
                "warning": one.is_warning,
            }
            for one in answers
        ],
    }  # fmt: skip
    blocks = (Heading(experiment.title), Fields(rows), targets, _answers(answers))
    return Report("chaos-plan/v1", document, blocks)


def _undo(one: Chosen) -> list[str]:
    return list(dict.fromkeys(plan.undo.summary if plan.undo else "nothing has to be" for plan in one.plans))


def _chosen_document(one: Chosen) -> dict[str, Any]:
    return {
        "name": one.order.name,
        "fault": one.order.fault,
        "parameters": plain(one.order.parameters),
        "target": str(one.order.target),
        "candidates": [str(target.ref) for target in one.candidates],
        "targets": [
            {"ref": str(target.ref), "uid": target.uid, "where": target.where} for target in one.targets
        ],
        "control": [str(target.ref) for target in one.control],
        "changes": [
            {"kind": plan.kind, "summary": plan.summary, "undo": plan.undo.summary if plan.undo else None}
            for plan in one.plans
        ],
        "lacks": one.lacks,
    }


def _burn(burn: Burn) -> str:
    from maestro_cli.chaos.burned import of_seen_words

    spent = "not known" if burn.share is None else format_share(burn.share)
    more = of_seen_words(burn.share, burn.share_of_seen)
    return f"{burn.objective}: {spent} of its budget{more}; left now: {burn.words}"


def _said(answer: Answer) -> str:
    return f"{answer.allows.value}, with a warning" if answer.is_warning else answer.allows.value


def _answers(answers: Sequence[Answer]) -> Listing[Answer]:
    tones = {"allowed": "good", "refused": "bad", "unknown": "warn"}
    columns: tuple[Column[Answer], ...] = (
        Column("check", lambda one: one.check),
        Column("guard", _said, tone=lambda one: "warn" if one.is_warning else tones[one.allows.value]),
        Column("why", lambda one: one.reason, priority=1, folds=True),
    )
    return Listing("chaos-guard/v1", columns, answers)
