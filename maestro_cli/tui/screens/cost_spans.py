"""What screens of costs are about: a namespace, how far back, or both with a comma: `ml,24h`.

What was mistyped there is mended by words of the console, and not by options of the command.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from maestro_cli.core.errors import MaestroError, UsageError
from maestro_cli.core.quantities import parse_duration_seconds

ENOUGH_AT_MOST_SECONDS = 7 * 86_400.0
# what follows `--by` and `--window` is what follows the screen's name here
_HERE = (
    (re.compile(r"--(?:by|window) (\S+)(?: --least-history \S+)?"), r":{screen} \1"),
    (
        re.compile(r"a longer --window, -n NAMESPACE, or -A for all of them"),
        ":{screen} 24h, of all namespaces",
    ),
    (re.compile(r"another --window or --until, or look whether"), "look whether"),
    (re.compile(r"maestro cost budget list"), ":cost-budgets"),
    (re.compile(r"--prices FILE, or costs: "), "costs: "),
)


@contextmanager
def mended_here(screen: str) -> Iterator[None]:
    """Tells an error with the fix that there is on that screen; one without another way here stays."""
    try:
        yield
    except MaestroError as error:
        for option, words in _HERE:
            error.fix = option.sub(words.replace("{screen}", screen), error.fix)
        raise


@dataclass(frozen=True, slots=True)
class LookedBack:
    """`what` is a namespace or a workload, "" for all; `window` is as it was written."""

    what: str
    window: str

    @staticmethod
    def read(argument: str, usual: str) -> LookedBack:
        """A word that begins with a digit is how far back; raises UsageError for two of a kind."""
        words = [word for word in argument.split(",") if word]
        spans = [word for word in words if word[0].isdigit()]
        names = [word for word in words if word not in spans]
        if len(spans) > 1 or len(names) > 1:
            raise UsageError(f"{argument[:60]!r} says too much", fix="a namespace, how far back, or ml,24h")
        return LookedBack(names[0] if names else "", spans[0] if spans else usual)

    @property
    def enough(self) -> str:
        """How much history is enough: half of the window, and no more than a week. Raises UsageError."""
        try:
            half = parse_duration_seconds(self.window) / 2
        except ValueError as error:
            raise UsageError(str(error), fix="14d") from error
        return f"{min(half, ENOUGH_AT_MOST_SECONDS):.0f}s"
