"""What runs a pipeline, told what a gate decided: GitHub by files that it names, GitLab by one of ours."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from maestro_cli.chaos.ci.variables import github_outputs
from maestro_cli.core.errors import UsageError
from maestro_cli.output.evidence import append_to

HOSTS = ("auto", "github", "gitlab", "none")
_COMMITS = ("MAESTRO_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT")
_OF_GITHUB = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")


def check_host(host: str, folder: Path | None) -> None:
    """Before anything is begun. Raises UsageError for no host, and where the one named could not be told."""
    if host not in HOSTS:
        raise UsageError(f"{host[:40]!r} is no host of pipelines", fix=f"--ci {'|'.join(HOSTS)}")
    if host == "github" and not any(os.environ.get(name) for name in _OF_GITHUB):
        why = f"neither {' nor '.join(_OF_GITHUB)} is set"
        raise UsageError("GitHub cannot be told", why=why, fix="--ci none, or name a file in GITHUB_OUTPUT")
    if host == "gitlab" and folder is None:
        why = "it reads gitlab.env, which is written where the evidence is"
        raise UsageError("GitLab cannot be told", why=why, fix="add --out DIR")


def tell_host(host: str, summary: str, variables: Mapping[str, str]) -> None:
    """GitHub names its files in the environment; where it names none there is nothing to tell."""
    if host == "github" or (host == "auto" and os.environ.get("GITHUB_ACTIONS") == "true"):
        for name, text in (
            ("GITHUB_STEP_SUMMARY", summary),
            ("GITHUB_OUTPUT", github_outputs(variables, lambda: f"end-{secrets.token_hex(16)}")),
        ):
            if os.environ.get(name):
                append_to(Path(os.environ[name]), text)


def commit_of_pipeline() -> str:
    """The commit that it runs for, "" where it names none."""
    return next((os.environ[name] for name in _COMMITS if os.environ.get(name)), "")
