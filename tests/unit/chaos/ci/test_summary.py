"""A summary shows what was said, and nothing that was said acts in it."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from maestro_cli.chaos.burned import Burned
from maestro_cli.chaos.ci.decision import decide
from maestro_cli.chaos.ci.outcome import Outcome
from maestro_cli.chaos.ci.summary import code_span, summary_markdown
from maestro_cli.chaos.model import Injected, Injection
from tests.unit.chaos.ci.outcomes import BURNED, outcome

HOSTILE = "<img src=x onerror=1> [a](http://evil) @org/team #12 ``` | </details> `x` www.evil.org \x1b[2J"
NOTES = {"context": "lab", "commit": "abc"}


def summary(*outcomes: Outcome, limit: int = 900_000) -> str:
    return summary_markdown(outcomes, decide(outcomes), notes=NOTES, limit_bytes=limit)


def rendered(text: str) -> str:
    return str(MarkdownIt("gfm-like").render(text))


def outside_of_code(html: str) -> str:
    """What GitHub looks for mentions, references and links in."""
    return re.sub(r"<code[^>]*>.*?</code>", "", html, flags=re.DOTALL)


def hostile(text: str) -> Outcome:
    return outcome(
        {"during": ("met", "missed")},
        {"injections": (Injection(text, Injected.FAILED, text),), "residue": (text,)},
        title=text,
    )


def test_tables_stand_before_details_and_the_verdict_before_all() -> None:
    text = summary(outcome(), outcome({"after": "missed"}))
    assert text.startswith("## Chaos gate: FAIL\n")
    assert text.index("| experiment |") < text.index("What speaks against it") < text.index("<details>")


def test_hostile_text_is_shown_and_does_nothing() -> None:
    html = rendered(summary(hostile(HOSTILE)))
    bare = outside_of_code(html)
    assert "onerror" in html
    for word in ("onerror", "evil", "@org", "#12", "\x1b"):
        assert word not in bare
    assert html.count("<details>") == html.count("</details>") == 1


@given(st.text(alphabet="`|\\<>@#[]() \n\t*_a&", max_size=40))
def test_no_text_leaves_its_code_span_in_a_table(text: str) -> None:
    span = code_span(text)
    html = rendered(f"| a | b |\n|---|---|\n| {span} | z |\n")
    cells = re.findall(r"<td>(.*?)</td>", html, re.DOTALL)
    assert len(cells) == 2
    assert cells[1] == "z"
    assert outside_of_code(cells[0]).strip() == ""


def test_it_never_grows_past_the_limit_and_says_what_is_missing() -> None:
    many = [outcome({"after": "missed"}, title=f"experiment {number} " + "€" * 500) for number in range(3000)]
    text = summary(*many)
    assert len(text.encode()) < 900_000
    assert "not shown" in text
    assert text.startswith("## Chaos gate: FAIL")
    few = summary(*many[:2], limit=2500)
    assert len(few.encode()) < 2500
    assert "Details of 2 experiments not shown" in few


def test_what_each_budget_lost_is_a_table_beside_what_was_foretold() -> None:
    unknown = Burned("fraud-latency", None, 0.0116, "no data")
    text = summary(outcome(burned=(BURNED, unknown)))
    rows = [line for line in text.split("### Error budgets")[1].splitlines() if line.startswith("|")][2:4]
    cells = [[cell.strip(" `") for cell in row.strip("|").split("|")] for row in rows]
    assert cells == [
        [
            "A slow replica",
            "fraud-availability",
            "1.2%",
            "0.3% of its budget, 0.3% of what was left",
            "89.7%",
        ],
        ["A slow replica", "fraud-latency", "1.2%", "not known: no data", "not known"],
    ]
    assert "### Error budgets" not in summary(outcome(burned=()))


def test_names_and_reasons_of_budgets_act_as_little_as_others() -> None:
    found = Burned(HOSTILE, None, None, HOSTILE, words=HOSTILE)
    bare = outside_of_code(rendered(summary(outcome(burned=(found,)))))
    assert not [one for one in ("<img", "evil", "@org", "#12") if one in bare]
