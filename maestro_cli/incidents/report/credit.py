"""What an incident costs by contract, as it was measured for its post-mortem."""

from __future__ import annotations

from collections.abc import Iterator

from maestro_cli.core.markdown_parts import text
from maestro_cli.incidents.report.story import Story

CREDIT = "sla_credit"  # of evidence
TITLE = "SLA credit"


def credit_lines(story: Story) -> Iterator[str]:
    """The last that was measured; what is needed for it, where nothing was: that leaves no evidence."""
    found = [one for one in story.of_kind("incident.evidence") if one.data["kind"] == CREDIT]
    if not found and story.incident.drill:
        yield "- SLA credit: none; a drill owes nothing."
        return
    if not found:
        yield (
            "- SLA credit: not measured. It needs a Prometheus and `contract: contract.yaml` in the settings "
            "of the context; `maestro schema contract` says what that file holds."
        )
        return
    data = found[-1].data
    facts = data["facts"] if data["ok"] else {}
    parties = " for ".join(filter(None, (facts.get("contract", ""), facts.get("customer", ""))))
    by = f" by {text(parties, 120)}" if parties else ""
    yield f"- SLA credit{by}: {text(data['summary'], 300)}."
