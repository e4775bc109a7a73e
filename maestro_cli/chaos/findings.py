"""What maestro found in a run, as its part of a Chaos Toolkit journal, and that journal as it is kept.

Invariant: no secret of the experiment stays in it, nor in the log of the child beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from maestro_cli.chaos.guard.check import Proposal
from maestro_cli.chaos.line import sane
from maestro_cli.chaos.model import Findings
from maestro_cli.chaos.secrecy import Secrecy
from maestro_cli.chaos.verdict import Judged
from maestro_cli.core.canonical import plain
from maestro_cli.core.errors import GateNotMet, MaestroError, NotKept, UndoFailed
from maestro_cli.core.files import write_atomically

JOURNAL, LOG = "journal.json", "worker.log"


def keep(
    folder: Path, journal: Mapping[str, Any], ours: Mapping[str, Any], secrecy: Secrecy
) -> Mapping[str, Any]:
    """Write the journal, clean the log, and return the journal as it is kept. Raises OSError."""
    kept: dict[str, Any] = secrecy.clean(sane_journal({**journal, "maestro": ours}))
    write_atomically(folder / JOURNAL, json.dumps(kept, indent=1), mode=0o600)
    secrecy.clean_file(folder / LOG)
    return kept


def sane_journal(journal: Mapping[str, Any]) -> dict[str, Any]:
    """A journal as JSON, cut where `sane` cuts; of the looks during the method none is left out."""
    states = dict(journal.get("steady_states") or {})
    during = states.pop("during", None) or ()
    kept: dict[str, Any] = sane({**journal, "steady_states": states})
    kept["steady_states"]["during"] = [sane(one) for one in during]
    return kept


def maestro_part(run_id: str, proposal: Proposal, judged: Judged, findings: Findings) -> dict[str, Any]:
    """What maestro adds to a Chaos Toolkit journal, under a key of its own."""
    unfinished = [f"not taken back: {one}" for one in findings.undo_failures]
    targets: Sequence[str] = [str(one.ref) for each in proposal.chosen for one in each.targets]
    return {
        "schema": "maestro.experiment/1",
        "run": run_id,
        "verdict": judged.verdict.value,
        "code": int(judged.exit_code),
        "coverage": judged.coverage,
        "reasons": [
            {"rule": one.rule, "what": one.what, "code": int(one.exit_code)} for one in judged.reasons
        ],
        "targets": list(targets),
        "unbounded": list(proposal.experiment.unbound),
        "control": [str(one.ref) for each in proposal.chosen for one in each.control],
        "seed": proposal.seed,
        "predicted_burn": plain(proposal.burns),
        "actual_burn": plain(findings.burned),
        "proof_of_effect": plain(findings.injections),
        "proof_of_recovery": plain(findings.recoveries),
        "undo_log": _undo_log(proposal, findings),
        "undo_failures": list(findings.undo_failures),
        "residue": [*findings.residue, *unfinished],
        "stop": plain(findings.stop),
        "arms": plain(findings.arms),
        "watched": plain(findings.watched),
        **({} if findings.failover is None else {"failover": plain(findings.failover)}),
    }


def _undo_log(proposal: Proposal, findings: Findings) -> list[dict[str, str]]:
    """What takes back each change of the faults that were put in, or were tried to be."""
    tried = {one.name for one in findings.injections}
    return [
        {"fault": one.order.name, "change": plan.id, "undo": plan.undo.summary if plan.undo else ""}
        for one in proposal.chosen
        if one.order.name in tried
        for plan in one.plans
    ]


def unbegun(error: Exception) -> GateNotMet:
    """Nothing is injected whose end could not be written down."""
    why = "; ".join(filter(None, (str(error), getattr(error, "why", ""))))
    return GateNotMet("the run cannot be written down; nothing was injected", why=why, fix="make room")


def unkept(run: str, judged: Judged, findings: Findings, error: Exception) -> MaestroError:
    """For a run whose end cannot be written down: what it found, what was taken back, what is left.

    Without a record a pass is none; what is worse than no data stays so.
    """
    left = (*findings.undo_failures, *findings.residue)
    taken = ", ".join(one.name for one in findings.injections)
    what = f"run {run} is over, and its end cannot be written down"
    told = (
        "; ".join(filter(None, (str(error), getattr(error, "why", "")))),
        f"it found {judged.verdict.value} ({int(judged.exit_code)}), and without a record no pass counts",
        f"still there: {'; '.join(left)}" if left else f"taken back: {taken or 'nothing was put in'}",
    )
    fix = f"make room, then: maestro chaos sweep {run}"
    if left:
        return UndoFailed(what, why="; ".join(told), fix=fix)
    return NotKept(what, found=judged.exit_code, why="; ".join(told), fix=fix)
