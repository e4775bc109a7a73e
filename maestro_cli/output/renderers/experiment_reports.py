"""How experiments ended, as views: of a run, and of one that was not begun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maestro_cli.core.errors import ExitCode
from maestro_cli.core.quantities import format_duration, format_share
from maestro_cli.output.renderers.experiment_runs import burned_lines, clearing
from maestro_cli.output.views import Column, Fields, Heading, Listing, Report

if TYPE_CHECKING:
    from maestro_cli.chaos.ci.outcome import Outcome
    from maestro_cli.core.errors import MaestroError


def report_view(journal: Mapping[str, Any]) -> Report:
    """How a run ended, from its journal: the verdict with every reason, the proofs, what is left."""
    ours, states = journal["maestro"], journal["steady_states"]
    experiment = journal.get("experiment") or {}
    rows: list[tuple[str, object]] = [
        ("verdict", ours["verdict"]),
        ("exit code", ours["code"]),
        ("run", ours["run"]),
        ("steady state", _steady(states)),
        ("coverage", format_share(ours["coverage"])),
        ("targets", ", ".join(ours["targets"]) or None),
        ("not bounded", _unbounded(ours)),
        ("effect", "; ".join(_effect(one) for one in ours["proof_of_effect"]) or None),
        ("recovery", "; ".join(_recovery(one) for one in ours["proof_of_recovery"]) or None),
        ("arms", _arms(ours.get("arms"))),
        ("burned meanwhile", burned_lines(ours.get("actual_burn") or ())),
        *_failover(ours.get("failover")),
        ("stopped", None if ours["stop"] is None else f"{ours['stop']['kind']}: {ours['stop']['why']}"),
        *_left(ours),
        ("seed", ours["seed"]),
    ]
    document = {key: value for key, value in ours.items() if key != "schema"} | {
        "experiment": experiment.get("title"),
        "status": journal.get("status"),
        "steady_states": _steady_document(states),
    }
    blocks = (Heading(str(experiment.get("title", "experiment"))), Fields(rows), _reasons(ours["reasons"]))
    return Report("chaos-report/v1", document, blocks)


def _unbounded(ours: Mapping[str, Any]) -> str | None:
    """What of the file acted past the guard."""
    names = ", ".join(ours.get("unbounded") or ())
    return f"{names}: whom that met, and what is left of it, is not known" if names else None


def _reasons(found: Sequence[Mapping[str, Any]]) -> Listing[Mapping[str, Any]]:
    """What speaks against a pass, the gravest first."""
    return Listing(
        "chaos-reasons/v1",
        (
            Column("rule", lambda one: one["rule"]),
            Column("exit code", lambda one: one["code"], right=True),
            Column("what", lambda one: one["what"], priority=1, folds=True),
        ),
        found,
        empty="nothing speaks against it",
    )


_OF_A_RUN = (
    "targets", "unbounded", "control", "predicted_burn", "actual_burn", "proof_of_effect",
    "proof_of_recovery", "undo_log", "undo_failures", "residue", "watched",
)  # fmt: skip


def refusal_view(outcome: Outcome, error: MaestroError) -> Report:
    """Of a run that was not begun: what a program reads of any run, as far as there is anything."""
    reasons = [{"rule": one.rule, "what": one.what, "code": int(one.exit_code)} for one in outcome.against]
    document = {
        "run": None,
        "experiment": outcome.title,
        "status": "refused",
        "verdict": outcome.verdict.value,
        "code": int(outcome.exit_code),
        "reasons": reasons,
        "fix": error.fix,
        "coverage": 0.0,
        "steady_states": _steady_document({}),
        **dict.fromkeys(("seed", "stop", "arms")),
        **{one: list[str]() for one in _OF_A_RUN},
    }
    rows = [("verdict", outcome.verdict.value), ("exit code", int(outcome.exit_code)), ("run", "not begun")]
    return Report("chaos-report/v1", document, (Heading(outcome.title), Fields(rows), _reasons(reasons)))


def _steady_document(states: Mapping[str, Any]) -> dict[str, Any]:
    from maestro_cli.chaos.verdict import Steady, steady_of

    during = [steady_of(one) for one in states.get("during") or ()]
    return {
        "before": None if states.get("before") is None else steady_of(states["before"]).value,
        "during": {one.value: sum(seen is one for seen in during) for one in Steady},
        "after": None if states.get("after") is None else steady_of(states["after"]).value,
    }


def _steady(states: Mapping[str, Any]) -> str:
    told = _steady_document(states)
    during = (
        ", ".join(f"{count} {word}" for word, count in told["during"].items() if count) or "not looked at"
    )
    before, after = (told[phase] or "not looked at" for phase in ("before", "after"))
    return f"before: {before}; during: {during}; after: {after}"


def _effect(one: Mapping[str, Any]) -> str:
    return f"{one['name']}: {one['outcome']}: {one['why']}"


def _recovery(one: Mapping[str, Any]) -> str:
    seconds = one["seconds"]
    answer = "not known" if one.get("is_cut_short") else "no"
    told = answer if seconds is None else f"after {format_duration(seconds)}"
    return f"{one['name']}: {told}: {one['why']}"


def _failover(found: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """What a failover took and lost, where there was one."""
    if found is None:
        return []
    bounds = found["bounds"]
    told = [
        f"{name} {_time_of(found[key])} (at most {_time_of(bounds[key])}): {why}"
        for name, key, why in zip(("RTO", "RPO"), ("rto_seconds", "rpo_seconds"), found["why"], strict=True)
    ]
    service = found.get("service", "")
    counts = f"objectives of {service}" if service else "no objective: nobody says of which service"
    return [(f"{found['of']} → {found['to']}", "; ".join((*told, f"counts for {counts}")))]


def _left(ours: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is still there, by whichever reason says so, and what clears it."""
    bad = [one["what"] for one in ours["reasons"] if one["code"] == ExitCode.UNDO_FAILED]
    told = [what.removeprefix("left behind: ").removeprefix("undo failed: ") for what in bad]
    # A rollback that asks for the same undo says the same again, after its own name.
    left = [one for one in told if not any(one.endswith(f": {other}") for other in told)]
    if not left:
        return [("left behind", "; ".join(ours["residue"]) or "nothing")]
    is_swept = ours["residue"] or ours.get("undo_failures")
    by = clearing(ours["run"]) if is_swept else "hand: what the file's own rollbacks name, no sweep knows"
    return [("left behind", "; ".join(left)), ("cleared by", by)]


def _time_of(seconds: float | None) -> str:
    return "not known" if seconds is None else format_duration(seconds)


def _arms(found: Mapping[str, Any] | None) -> str | None:
    """Both arms of a run, where they were compared."""
    if found is None:
        return None
    told = "; ".join(f"{name}: {_arm(found[name])}" for name in ("treated", "control"))
    return f"{told}; {found['blame']}"


def _arm(figures: Mapping[str, Any]) -> str:
    if figures["bad"] is None or not figures["of"]:
        return "not counted"
    share = f"{format_share(figures['low'])} to {format_share(figures['high'])}"
    return f"{figures['bad']:.0f} of {figures['of']:.0f} bad ({share})"
