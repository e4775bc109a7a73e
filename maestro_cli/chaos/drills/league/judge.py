"""From what was played and what was under the seal to an item of the league. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from maestro_cli.chaos.drills.league.draw import NOTHING
from maestro_cli.chaos.drills.league.model import Item, Pair
from maestro_cli.chaos.drills.model import Accused, Scorecard, Truth
from maestro_cli.chaos.drills.scorecard import Performance, score


def judge(played: Performance, seed: int, seal: str, fouls: Sequence[str]) -> Item:
    """A foul fails it, however well the rest went."""
    card = score(played)
    scenario, outcome, truth = played.scenario, played.outcome, played.truth
    is_nothing = scenario.true_cause == NOTHING
    rank = None if is_nothing else rank_of(outcome.suspects, str(scenario.true_cause), truth)
    is_triaged = outcome.triaged_at is not None or not (scenario.alert or outcome.incident)
    cause_is_right = is_triaged and not outcome.suspect_kind if is_nothing else rank == 1
    phases = {phase.name: phase for phase in card.phases}
    detected = phases["detected"]
    noticed = detected.seconds is None if not scenario.alert else detected.met
    misses = [*_late(card, is_nothing, bool(scenario.right_fix), bool(scenario.alert)), *fouls]
    if is_nothing and outcome.suspect_kind:
        misses.append(f"{card.blamed} was blamed")
    if not is_nothing and not cause_is_right:
        misses.append(_ranked(rank))
    if scenario.right_fix and not card.fix_is_right:
        misses.append("the right fix was not made")
    if is_nothing and outcome.fixes:
        misses.append(f"nothing was wrong, and this was done: {card.fix}")
    return Item(
        scenario=scenario.name, seed=seed, true_cause=truth.words, cause_rank=rank,
        detected_seconds=detected.seconds, triaged_seconds=phases["triaged"].seconds,
        mitigated_seconds=phases["mitigated"].seconds, resolved_seconds=phases["resolved"].seconds,
        passed=not misses, cause_is_right=cause_is_right, noticed_rightly=noticed, blamed=card.blamed,
        alert=scenario.alert, fix=card.fix, run=card.run, incident=outcome.incident, drill=card.drill,
        seal=seal,
        misses=tuple(misses), fouls=tuple(fouls),
        pairs=_pairs(outcome.suspects, str(scenario.true_cause), truth), wall_seconds=card.wall_seconds,
    )  # fmt: skip


def rank_of(suspects: Sequence[Accused], kind: str, truth: Truth) -> int | None:
    """The place of the true cause among the suspects, from 1; None where it is not there."""
    for place, one in enumerate(suspects, 1):
        if _is_true(one, kind, truth):
            return place
    return None


def _pairs(suspects: Sequence[Accused], kind: str, truth: Truth) -> tuple[Pair, ...]:
    return tuple(Pair(one.score, _is_true(one, kind, truth), one.kind) for one in suspects)


def _is_true(one: Accused, kind: str, truth: Truth) -> bool:
    return (one.kind, one.subject, one.revision) == (kind, truth.subject, truth.revision)


def _ranked(rank: int | None) -> str:
    return "the true cause was not among the suspects" if rank is None else f"the true cause came at {rank}"


def _late(card: Scorecard, is_nothing: bool, has_fix: bool, has_alert: bool) -> list[str]:
    """Phases that count and were missed: of what no runbook ends, and of nothing, no more than that it was
    noticed and its cause looked for."""
    if not has_alert:
        return [] if card.phases[0].seconds is None else ["nothing was wrong, and an incident was opened"]
    counted = {"detected", "triaged"}
    if has_fix:
        counted |= {"mitigated", "resolved"}
    return [phase.miss for phase in card.phases if phase.name in counted and phase.miss]
