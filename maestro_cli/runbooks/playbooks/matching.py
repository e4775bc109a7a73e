"""Which playbook an alert means, why it, and why not each other.

Invariant: pure and deterministic: the playbook with the most matchers among those that match, and of several
with as many the one whose id comes first. Nothing matches what does not fire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maestro_cli.core.quantities import counted
from maestro_cli.runbooks.playbooks.model import AlertTrigger, Playbook


@dataclass(frozen=True, slots=True)
class PlaybookMatch:
    """The playbook for an alert, why it, and why not each other."""

    playbook: Playbook | None
    why: str
    why_not: Mapping[str, str]


def match_alert(playbooks: Sequence[Playbook], labels: Mapping[str, str], *, firing: bool) -> PlaybookMatch:
    if not firing:
        return PlaybookMatch(None, "the alert is resolved", {one.id: "it is not firing" for one in playbooks})
    why_not: dict[str, str] = {}
    fitting: list[tuple[Playbook, AlertTrigger]] = []
    for one in playbooks:
        found = one.matching(labels)
        if found is None:
            why_not[one.id] = one.mismatch(labels)
        else:
            fitting.append((one, found))
    if not fitting:
        return PlaybookMatch(None, "no playbook matches", why_not)
    fitting.sort(key=lambda one: (-len(one[1].matchers), one[0].id))
    best, chosen = fitting[0]
    for other, alternative in fitting[1:]:
        why_not[other.id] = _beaten(alternative, best, chosen)
    return PlaybookMatch(best, f"{best.id}: {chosen}", why_not)


def _beaten(alternative: AlertTrigger, best: Playbook, chosen: AlertTrigger) -> str:
    count, most = len(alternative.matchers), len(chosen.matchers)
    if count < most:
        return f"it matches too, with {counted(count, 'matcher')}; {best.id} has {most}"
    return f"it matches too, with as many matchers; {best.id} comes first by its id"
