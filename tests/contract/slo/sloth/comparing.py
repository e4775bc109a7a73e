"""Whether two sets of rules mean the same: evaluated side by side by Prometheus's own engine.

`promtool test rules` evaluates both over the same series; one question at the end looks at every instant
through a subquery, and is expected to be answered by nothing.
"""

from __future__ import annotations

import copy
import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from maestro_cli.slo.rules.alerts import ALERT_NAME
from maestro_cli.slo.rules.naming import SLOTH, Names
from maestro_cli.slo.windows import burn_windows, spans_of
from tests.contract.slo.sloth.cases import HOURS, Case, inputs_of

SAME = 1e-9
_STEP = "5m"
_THROUGH = f"[{HOURS}h:{_STEP}]"
Document = dict[str, Any]


def of_peer(theirs: Document) -> Document:
    """Sloth's rules with records of their own, so that both sets can be loaded at once."""
    text = json.dumps(theirs).replace("slo:", "peer:").replace("sloth_slo_info", "peer_slo_info")
    found: Document = json.loads(text)
    return found


def differences(case: Case, ours: Document, theirs: Document, names: Names, folder: Path) -> str:
    """What promtool says; nothing where the same alerts fire and the same ratios are recorded."""
    questions, always = [], list[str]()
    for span in spans_of(burn_windows(case.objective.window_seconds)):
        mine, other = names.record(span), SLOTH.record(span).replace("slo:", "peer:")
        questions.append(_other_number(case, mine, other))
    for severity in ("page", "ticket"):
        mine = f'ALERTS{{alertname="{ALERT_NAME}",alertstate="firing",severity="{severity}"}}'
        other = f'ALERTS{{alertname="SlothBurn",alertstate="firing",sloth_severity="{severity}"}}'
        one, two = f"max by ({case.groups}) ({mine})", f"max by ({case.groups}) ({other})"
        questions.append(f"({one} or {two}) unless ({one} and {two})")
        always += [f"max(count_over_time(({two}){_THROUGH})) > bool 0"] if case.fires else []
    return run(case, [ours, of_peer(theirs)], questions, folder, always)


def same_records(case: Case, names: Iterable[str], ours: Document, theirs: Document, folder: Path) -> str:
    """As `differences`, for records that have the same name and the same labels in both."""
    questions = []
    for name in names:
        other = name.replace("slo:", "peer:").replace("sloth_slo_info", "peer_slo_info")
        questions.append(f"({name} == {name} or {other} == {other}) unless abs({name} - {other}) <= {SAME}")
    return run(case, [ours, of_peer(theirs)], questions, folder)


def run(
    case: Case, documents: list[Document], questions: list[str], folder: Path, always: list[str] | None = None
) -> str:
    """What promtool says where a question is answered at any instant, or one of `always` is not 1."""
    files = []
    for number, document in enumerate(documents):
        files.append(f"rules{number}.json")
        (folder / files[-1]).write_text(json.dumps(_at_one_pace(document)), encoding="utf-8")
    asked: list[Document] = [
        {"expr": f"count_over_time(({one}){_THROUGH})", "eval_time": f"{HOURS}h", "exp_samples": []}
        for one in questions
    ]
    asked += [
        {"expr": one, "eval_time": f"{HOURS}h", "exp_samples": [{"labels": "{}", "value": 1}]}
        for one in always or ()
    ]
    test = {"interval": "1m", "input_series": inputs_of(case), "promql_expr_test": asked}
    order = [group["name"] for document in documents for group in document["groups"]]  # else by chance
    document = {
        "rule_files": files, "evaluation_interval": _STEP, "group_eval_order": order, "tests": [test],
    }  # fmt: skip
    (folder / "test.json").write_text(json.dumps(document), encoding="utf-8")
    program = shutil.which("promtool")
    assert program is not None, "promtool is missing; it comes with prometheus"
    done = subprocess.run(
        [program, "test", "rules", "test.json"],
        cwd=folder, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr if done.returncode else ""


def _other_number(case: Case, mine: str, other: str) -> str:
    """A ratio that is not there, or is no number, must be so in both."""
    one, two = f"max by ({case.groups}) ({mine})", f"max by ({case.groups}) ({other})"
    return f"({one} == {one} or {two} == {two}) unless abs({one} - {two}) <= {SAME}"


def _at_one_pace(document: Document) -> Document:
    """Without intervals of groups: both sets are evaluated at the same instants."""
    found = copy.deepcopy(document)
    for group in found["groups"]:
        group.pop("interval", None)
    return found
