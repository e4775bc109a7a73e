"""Whatever stands in a playbook or a label: read or refused with its place, and nothing is run or hangs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maestro_cli.config.strict import dump_yaml
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import InvalidFile
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.playbooks.lint import lint
from maestro_cli.runbooks.playbooks.matching import match_alert
from maestro_cli.runbooks.playbooks.model import Playbook
from maestro_cli.runbooks.playbooks.reader import read_playbook
from maestro_cli.runbooks.playbooks.readiness import Readiness

NASTY = [
    "", "{{ labels.a }}", "{{ labels.", "$(touch pwned)", "`x`", "-->", "```sh {id=x}\n```", "---\n",
    "\x1b[31m", "\u202eevil", 'a=~"(a+)+$"', 'a=~"(.*){99}"', 'a=~"' + "(" * 50, 'a="', "env:X",
    "file:/etc/passwd", "0", "* * * * *", "99 99 * * *", "UTC", "../../etc", "10m", "-1s", "one", "auto",
    "9" * 30, "a" * 1200, "\U0001f600",
]  # fmt: skip
texts = st.sampled_from(NASTY) | st.text(max_size=12)


def mostly(*good: str) -> st.SearchStrategy[str]:
    """One of what is right, and now and then anything."""
    return st.integers(0, 19).flatmap(lambda chance: st.sampled_from(good) if chance else texts)


values = st.dictionaries(mostly("X", "NAME"), texts | st.integers() | st.booleans(), max_size=2)
parts = st.fixed_dictionaries(
    {"kind": mostly("sh", "promql", "bash"), "body": texts},
    optional={"title": texts, "timeout": mostly("5s"), "retries": mostly("1"), "mutates": st.booleans()},
)
inline = st.builds(
    lambda part, name, verify: {**part, "id": name, **({"verify": [verify]} if verify else {})},
    parts, mostly("a"), st.none() | parts,
)  # fmt: skip
steps = st.lists(
    st.fixed_dictionaries({"runbook": texts.filter(bool)}, optional={"with": values})
    | st.fixed_dictionaries({"inline": st.lists(inline, min_size=1, max_size=2)}, optional={"with": values}),
    min_size=1,
    max_size=2,
)
matchers = st.lists(mostly("a=b", 'a=~"(x|y)+"', 'b!~".*z"', "c!="), min_size=1, max_size=3)
triggers = st.fixed_dictionaries(
    {"alert": st.fixed_dictionaries({"matchers": matchers})},
    optional={
        "incident": st.fixed_dictionaries({"event": mostly("opened", "reopened"), "matchers": matchers}),
        "schedule": st.fixed_dictionaries({"cron": mostly("0 6 * * *")}, optional={"zone": mostly("UTC")}),
        "manual": st.fixed_dictionaries({"params": st.dictionaries(mostly("X"), st.just({}), max_size=1)}),
    },
)
documents = st.fixed_dictionaries(
    {"maestro": st.just("playbook/v1"), "id": mostly("p", "q"), "trigger": triggers, "steps": steps},
    optional={
        "incident": st.fixed_dictionaries({"title": texts}),
        "policy": st.fixed_dictionaries({"mode": mostly("auto", "suggest")}),
        "correlation": st.fixed_dictionaries(
            {"group_by": st.lists(mostly("a", "b")), "window": mostly("5m")}
        ),
        "on_failure": st.fixed_dictionaries({"page": mostly("env:X")}),
        "notifications": st.lists(st.fixed_dictionaries({"to": mostly("env:X"), "on": st.just(["begun"])})),
    },
)


def read(file: Path) -> Playbook | InvalidFile:
    try:
        return read_playbook(file)
    except InvalidFile as error:
        return error


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(document=documents, labels=st.dictionaries(st.sampled_from("abc"), texts, max_size=3))
def test_a_hostile_playbook_is_read_or_refused_with_its_place(
    tmp_path: Path, document: dict[str, Any], labels: dict[str, str]
) -> None:
    file = tmp_path / "hostile.yaml"
    file.write_bytes(dump_yaml(document).encode("utf-8", "surrogatepass"))
    playbook = read(file)
    if isinstance(playbook, InvalidFile):
        assert (playbook.file, (playbook.line or 1) >= 1) == (str(file), True)
        return
    match_alert([playbook], labels, firing=True)
    assert playbook.title_for(labels) is not None
    runbooks = RunbookCatalog([tmp_path])
    for finding in lint(playbook, runbooks, Readiness(runbooks, SystemClock()), ()):
        assert (finding.file, finding.line >= 1) == (str(file), True)
    assert not (tmp_path / "pwned").exists()
