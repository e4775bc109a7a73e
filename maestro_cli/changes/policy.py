"""How careful to be with a context. Invariant: the safest of flag, environment and context wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from maestro_cli.changes.policy_file import PolicyRules, load_policy
from maestro_cli.config.settings import Context

READ_ONLY_VARIABLE = "MAESTRO_READ_ONLY"
_OFF = {"", "0", "false", "no", "off"}


class UndoPolicy(Enum):
    """When a change that was applied but not verified is taken back.

    `when_it_was_up`: only if the workload was fully available when the plan was made. Going back to a
    release that was already down would trade one outage for another; and so would taking back a rollback
    that is in effect. `ask`: a person at the terminal says; where there is none it is left as it is.
    """

    ALWAYS = "always"
    WHEN_IT_WAS_UP = "when_it_was_up"
    NEVER = "never"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules for changes in one context; times in seconds, `max_replicas_share` in (0, 1]."""

    context: str
    read_only: bool = False
    protected: bool = False
    max_replicas_share: float = 1.0
    undo: UndoPolicy = UndoPolicy.WHEN_IT_WAS_UP
    repeat_window_seconds: float = 3600.0
    verify_timeout_seconds: float = 300.0
    poll_seconds: float = 0.5
    lease_seconds: float = 60.0
    approval_seconds: float = 900.0
    rules: PolicyRules | None = None


def policy_for(
    name: str, context: Context, environment: Mapping[str, str], *, read_only_flag: bool = False
) -> Policy:
    """The policy of a context and its file; `--read-only` or MAESTRO_READ_ONLY can only make it stricter.

    Raises InvalidFile for a policy file that is missing or wrong: without its policy nothing is changed.
    """
    rules = load_policy(Path(context.policy)) if context.policy else None
    asked = environment.get(READ_ONLY_VARIABLE, "").strip().lower() not in _OFF
    return Policy(
        context=name,
        read_only=context.read_only
        or read_only_flag
        or asked
        or (rules is not None and rules.content.read_only),
        protected=context.protected or (rules is not None and rules.content.protected),
        max_replicas_share=context.max_replicas_share,
        undo=UndoPolicy(rules.content.undo) if rules is not None else UndoPolicy.WHEN_IT_WAS_UP,
        rules=rules,
    )
