"""What an incident costs by contract, as it was measured for its post-mortem."""

from __future__ import annotations

from collections.abc import Iterator

from maestro_cli.core.markdown_parts import text
from maestro_cli.incidents.report.story import Story

CREDIT = "sla_credit"  # of evidence
TITLE = "SLA credit"


def credit_lines(story: Story) -> Iterator[str]:
    """The last that was measured; which setting would make it known, where nothing was."""
    found = [one for one in story.of_kind("incident.evidence") if one.data["kind"] == CREDIT]
    if not found:
        yield (
            "- SLA credit: not known; the context names no contract. `contract: contract.yaml` in its "
            "settings does, and `maestro schema contract` says what that file holds."
        )
        return
    data = found[-1].data
    facts = data["facts"] if data["ok"] else {}
    parties = " for ".join(filter(None, (facts.get("contract", ""), facts.get("customer", ""))))
    by = f" by {text(parties, 120)}" if parties else ""
    yield f"- SLA credit{by}: {text(data['summary'], 300)}."
