"""Turn the shipped files into what the supervisor reads, before anything is started.

Invariant: every file people write is read here, strictly, so a mistake in one is told with file and line
and nothing was started; what is written to `config/` needs no check any more.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from maestro_cli.config.locations import make_private, shipped
from maestro_cli.config.strict import dump_yaml, parse_yaml_all
from maestro_cli.core.canonical import plain
from maestro_cli.core.clock import SystemClock
from maestro_cli.core.errors import InvalidFile
from maestro_cli.core.files import write_atomically
from maestro_cli.cost.prices.reading import read_prices
from maestro_cli.local.keys import faults_folder, key_file, keys_file, make_keys
from maestro_cli.slo.alert_files import group_document, read_alert_files
from maestro_cli.slo.files.reading import read_objectives
from maestro_cli.slo.rules.alerts import rule_file
from maestro_cli.slo.windows import Profile

NAMESPACE = "ml"
_KINDS = {
    ("v1", "Namespace"),
    ("v1", "Service"),
    ("v1", "ConfigMap"),
    ("apps/v1", "Deployment"),
    ("policy/v1", "PodDisruptionBudget"),
}
_PRICES = "prices.yaml"
_WINDOW = "10s"  # of the rates in runbooks, where prometheus scrapes every second


def prepare(state: Path, profile: Profile, deploy: Path | None = None, *, second: bool = False) -> None:
    """Write rules, manifests, the context, keys and the webhook token under `state`, with those of the second
    service where it is wanted. Raises InvalidFile.
    """
    deploy = deploy or shipped("deploy")
    objectives = [deploy / "objectives", *([deploy / "league" / "objectives"] if second else [])]
    found = [one for folder in objectives for one in read_objectives(folder)]
    rules = rule_file([one for one in found if one.is_watched], profile)
    rules["groups"] += [group_document(group, profile) for group in read_alert_files(deploy / "alerts")]
    variables = {
        "MODELS_DIR": str((deploy / "models").resolve()),
        "KEYS_FILE": str(keys_file(state)),
        "FAULTS_DIR": str(faults_folder(state)),
    }
    manifests = read_manifests(deploy / "local", variables)
    manifests += read_manifests(deploy / "league", variables) if second else []
    prices = deploy / "local" / _PRICES
    figures = read_prices(prices).figures
    context = {
        "namespace": NAMESPACE,
        "objectives": [str(folder.resolve()) for folder in objectives],
        "settle_seconds": min(300.0, 3 * profile.interval_seconds),
        "backups": str(backups_folder(state)),
        "parameters": {"WINDOW": _WINDOW} if profile.interval_seconds <= 1 else {},
        "experiments": {
            "namespaces": [NAMESPACE],
            "budgets": "seen",  # its past is minutes, and the windows are months
            "embedded": True,
            "whole": True,
            "server_faults": {"key": f"file:{key_file(state, 'chaos')}", "loopback": True},
        },
        "costs": {
            **msgspec.structs.asdict(figures),
            "prices": str(prices.resolve()),
            "labels": {"model": ["app"]},
        },
    }
    write_atomically(state / "config" / "rules.yaml", dump_yaml(rules))
    write_atomically(state / "config" / "manifests.json", json.dumps(plain(manifests), indent=1))
    write_atomically(state / "config" / "context.json", json.dumps(context, indent=1))
    make_keys(state)
    _back_up(manifests, backups_folder(state))
    write_atomically(state / "webhook.token", secrets.token_urlsafe(32), mode=0o600)


def backups_folder(state: Path) -> Path:
    """Where backups are: `manifests-…` of what is declared, and a folder for each job that makes some."""
    return state / "backups"


def _back_up(manifests: list[dict[str, Any]], folder: Path) -> None:
    """Keep what is declared as one file that kubectl takes, and make the folder of the models' backups."""
    make_private(folder / "models")
    documents = (json.dumps(plain(manifest), indent=1) for manifest in manifests)  # JSON is YAML
    name = f"manifests-{SystemClock().now():%Y%m%dT%H%M%SZ}.yaml"
    write_atomically(folder / name, "\n---\n".join(documents) + "\n", mode=0o600)


def read_manifests(folder: Path, variables: Mapping[str, str]) -> list[dict[str, Any]]:
    """Every object of the manifests, by file name and place, with these variables of containers set.

    Raises InvalidFile for a kind the platform does not create.
    """
    found: list[dict[str, Any]] = []
    for file in sorted(folder.glob("*.yaml")):
        if file.name == _PRICES:
            continue
        for document in parse_yaml_all(_read_text(file), str(file)):
            manifest = document.data
            if not isinstance(manifest, dict) or not manifest.get("metadata", {}).get("name"):
                raise document.fail("is not a Kubernetes object with a name")
            if (manifest.get("apiVersion"), manifest.get("kind")) not in _KINDS:
                known = ", ".join(sorted(kind for _, kind in _KINDS))
                raise document.fail("is not created by the platform", ("kind",), why=f"known here: {known}")
            _set_variables(manifest, variables)
            found.append(manifest)
    for kind in ("Deployment", "Service"):
        if sum(manifest["kind"] == kind for manifest in found) != 1:
            raise InvalidFile(f"the manifests need exactly one {kind}", file=str(folder))
    return found


def _read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidFile("cannot be read", file=str(file), why=str(error)) from error


def _set_variables(manifest: dict[str, Any], variables: Mapping[str, str]) -> None:
    pod = manifest.get("spec", {}).get("template", {}).get("spec", {})
    for container in pod.get("containers", []):
        for variable in container.get("env", []):
            if variable.get("name") in variables:
                variable["value"] = variables[variable["name"]]
