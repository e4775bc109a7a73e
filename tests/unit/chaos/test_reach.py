"""What only looks is told from what a file calls, wherever it calls it, never from what it says of itself."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from maestro_cli.chaos import actions, probes
from maestro_cli.chaos.model import Experiment
from maestro_cli.chaos.reach import ACTING, LOOKING

VALUE = {"type": "python", "module": "maestro_cli.chaos.probes", "func": "value", "arguments": {"query": "q"}}
GET = {"type": "http", "url": "http://fraud/health"}
PROCESS = {"type": "process", "path": "touch"}
INJECT = {"type": "python", "module": "maestro_cli.chaos.actions", "func": "inject"}
CONTROL = {"name": "c", "provider": {"type": "python", "module": "mine"}}
JUDGE: dict[str, Any] = {
    "type": "probe",
    "name": "j",
    "provider": {"type": "python", "module": "mine", "func": "f"},
}


def experiment(
    *probes: dict[str, Any],
    method: Any = (),
    rollbacks: Any = (),
    given: dict[str, Any] | None = None,
    **more: Any,
) -> Experiment:
    hypothesis = {"title": "well", "probes": list(probes), "controls": []}
    document = {"method": list(method), "rollbacks": list(rollbacks), "steady-state-hypothesis": hypothesis}
    return Experiment("e", "e", "", "e.yaml", "", {**document, **more}, given=given or {})


def one(provider: dict[str, Any], tolerance: Any = 200, **more: Any) -> dict[str, Any]:
    return {"type": "probe", "name": "p", "provider": provider, "tolerance": tolerance, **more}


LOOKS = {
    "nothing": experiment(),
    "a query": experiment(one(VALUE, {"type": "range", "range": [0, 1]})),
    "a request": experiment(one(GET)),
    "a request in the method": experiment(method=[one({**GET, "method": "get"}), {"ref": "p"}]),
    "what calls itself an action": experiment(method=[{**one(GET), "type": "action"}]),
    "judged by a request": experiment(one(VALUE, {**JUDGE, "provider": GET})),
    "values": experiment(
        one(GET), configuration={"a": {"type": "env", "key": "A"}, "b": [1]}, secrets={"x": {"k": "v"}}
    ),
}
ACTS = {
    "a process in the hypothesis": experiment(one(PROCESS)),
    "a process in the method": experiment(method=[one(PROCESS)]),
    "a rollback": experiment(rollbacks=[{**one(PROCESS), "type": "action"}]),
    "another module": experiment(one({**VALUE, "module": "maestro_cli.chaos.line", "func": "ask"})),
    "what the module of probes itself calls": experiment(one({**VALUE, "func": "ask"})),
    "a request that writes": experiment(one({**GET, "method": "DELETE"})),
    "a tolerance": experiment(one(GET, JUDGE)),
    "a control": experiment(one(GET), controls=[CONTROL]),
    "a control of one activity": experiment(one(GET, controls=[CONTROL])),
    "a probe of the configuration": experiment(configuration={"a": JUDGE}),
    "a tolerance among the configuration": experiment(one(GET, "${a}"), configuration={"a": [JUDGE]}),
    "a tolerance among the secrets": experiment(one(GET, "${a}"), secrets={"x": {"a": JUDGE}}),
    "a tolerance in a text": experiment(
        configuration={"a": {"type": "env", "key": "A", "env_var_type": "json", "default": "{}"}}
    ),
    "a variable": experiment(configuration={"a": 1}, given={"configuration": {"a": JUDGE}}),
}


@pytest.mark.parametrize("name", LOOKS)
def test_what_can_do_nothing_else_only_looks(name: str) -> None:
    assert (LOOKS[name].acts, LOOKS[name].unbound) == (False, ())


@pytest.mark.parametrize("name", ACTS)
def test_whatever_is_not_known_to_look_acts_and_nothing_bounds_it(name: str) -> None:
    assert ACTS[name].acts
    assert ACTS[name].unbound


def test_a_control_of_the_hypothesis_acts() -> None:
    given = experiment(one(GET))
    given.document["steady-state-hypothesis"]["controls"].append(CONTROL)
    assert given.unbound == ("the control 'c'",)


def test_maestros_own_actions_are_bounded_also_where_they_call_themselves_probes() -> None:
    asked = experiment(method=[one(INJECT)])
    assert (asked.acts, asked.unbound) == (True, ())
    assert experiment(method=[one({**INJECT, "func": "ask"})]).unbound == ("the probe 'p'",)


def test_what_acts_and_what_looks_are_all_that_maestro_offers() -> None:
    def offered(module: Any) -> frozenset[str]:
        functions = inspect.getmembers(module, inspect.isfunction)
        return frozenset(name for name, one in functions if one.__module__ == module.__name__)

    assert (offered(actions), offered(probes)) == (ACTING, LOOKING)
