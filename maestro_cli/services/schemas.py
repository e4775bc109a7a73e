"""The JSON schemas of the files that people write, for editors and checks.

Invariant: made from the very types that the strict loader decodes into, so that they cannot differ from it.
What only the loader knows (names that have to exist, patterns that have to match) a schema does not say.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from maestro_cli.core.errors import UsageError

# What each describes, and where its type is.
KINDS: Mapping[str, tuple[str, str, str]] = {
    "budgets": ("budgets of money", "maestro_cli.cost.budgets.file", "BudgetsFile"),
    "chaos-schedules": (
        "experiments that recur",
        "maestro_cli.chaos.schedules",
        "SchedulesFile",
    ),
    "config": ("config.yaml and ./maestro.yaml", "maestro_cli.config.settings", "SettingsFile"),
    "contract": ("a contract of service levels", "maestro_cli.slo.files.contract", "ContractFile"),
    "exclusions": ("maintenance that reports take out", "maestro_cli.slo.files.exclusions", "ExclusionsFile"),
    "experiment": ("a Chaos Toolkit experiment", "maestro_cli.chaos.experiments.spec", "ExperimentFile"),
    "experiment-extension": (
        "what an experiment declares for maestro, under extensions",
        "maestro_cli.chaos.experiments.spec",
        "MaestroPart",
    ),
    "gameday": ("the plan of a game day", "maestro_cli.chaos.gameday.plan", "GameDayFile"),
    "incident-rules": ("rules of incidents", "maestro_cli.incidents.intake.rules.spec", "RulesSpec"),
    "keys": ("keys.yaml, keys of the console", "maestro_cli.config.keys_file", "KeysFile"),
    "objectives": ("objectives (OpenSLO, Sloth, Pyrra)", "maestro_cli.slo.files.reading", "FILES"),
    "oncall": (
        "who is on call, and who is told next",
        "maestro_cli.incidents.people.oncall_spec",
        "OnCallFile",
    ),
    "playbook": ("a playbook", "maestro_cli.runbooks.playbooks.spec", "PlaybookSpec"),
    "policy": ("a policy of changes", "maestro_cli.changes.policy_file", "PolicyFile"),
    "prices": ("prices for maestro cost", "maestro_cli.cost.prices.spec", "PricesFile"),
    "runbook": ("the front matter of a runbook", "maestro_cli.runbooks.reader", "FrontMatter"),
}


def schema_of(kind: str) -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of that kind of file; raises UsageError for one there is not."""
    if kind not in KINDS:
        raise UsageError(f"there is no schema {kind!r}", fix=f"use one of: {', '.join(KINDS)}")
    import msgspec

    title, module, name = KINDS[kind]
    found = getattr(import_module(module), name)
    if isinstance(found, tuple):  # a document of any of these
        any_of, definitions = msgspec.json.schema_components(found, ref_template="#/$defs/{name}")
        made: dict[str, Any] = {"anyOf": list(any_of), "$defs": definitions}
    else:
        made = msgspec.json.schema(found)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"maestro: {title}", **made}
