"""What later steps of a pipeline read: names with values, as each host takes them.

Invariant: no value can name another variable, end its own, or be run by a shell. GitHub's file takes values
between delimiters that are drawn; GitLab's takes no space and no quote, so what has any is left out of it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence

from maestro_cli.chaos.ci.decision import Decision
from maestro_cli.chaos.ci.outcome import Outcome
from maestro_cli.core.untrusted import visible

VALUE_LIMIT = 2000
_DOTENV = re.compile(r"[A-Za-z0-9._/:,+@%=-]{0,1000}")


def variables_of(outcomes: Sequence[Outcome], decision: Decision, files: Mapping[str, str]) -> dict[str, str]:
    """By name; `files` are the paths of what was written, by what it is."""
    burns = [
        burn["share"]
        for one in outcomes
        for burn in one.ours.get("predicted_burn") or ()
        if isinstance(burn.get("share"), int | float)
    ]
    gravest = [one for one in outcomes if one.against and one.exit_code is decision.exit_code]
    return {
        "verdict": decision.verdict.value,
        "code": str(int(decision.exit_code)),
        "ends_with": str(int(decision.ends_with)),
        "score": "" if decision.score is None else str(decision.score),
        "burn": f"{max(burns):.6f}" if burns else "",
        "runs": ",".join(one.run for one in outcomes if one.run),
        "why": gravest[0].against[0].what if gravest else "",
        **{f"{name}_path": path for name, path in files.items()},
    }


def github_outputs(variables: Mapping[str, str], draw: Callable[[], str]) -> str:
    """For `$GITHUB_OUTPUT`; `draw` gives what nobody can foresee, and is asked again where a value has it."""
    parts = []
    for name, value in variables.items():
        shown, end = visible(value, VALUE_LIMIT), draw()
        while end in shown:
            end = draw()
        parts.append(f"{name}<<{end}\n{shown}\n{end}\n")
    return "".join(parts)


def dotenv(variables: Mapping[str, str]) -> str:
    """A GitLab dotenv report; what it could not hold unchanged is left out."""
    return "".join(
        f"MAESTRO_{name.upper()}={value}\n" for name, value in variables.items() if _DOTENV.fullmatch(value)
    )


def shell(variables: Mapping[str, str]) -> str:
    """For `.` or `eval` of any POSIX shell."""
    return "".join(
        f"MAESTRO_{name.upper()}={shlex.quote(visible(value, VALUE_LIMIT))}\n"
        for name, value in variables.items()
    )
