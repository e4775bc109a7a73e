"""What the terminal can do. Invariant: colour and boxes only where a person asked for neither less."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

PIPED_WIDTH = 10_000


@dataclass(frozen=True, slots=True)
class Terminal:
    """`interactive`: a person sees it redraw. `width` in columns; unlimited when piped."""

    interactive: bool
    colour: bool
    width: int


def terminal_of(stream: TextIO, environment: Mapping[str, str] = os.environ, *, is_plain: bool) -> Terminal:
    """Honours NO_COLOR, FORCE_COLOR, CI, TERM=dumb and `--plain`."""
    is_terminal = stream.isatty()
    dumb = environment.get("TERM", "") == "dumb"
    forced = bool(environment.get("FORCE_COLOR"))
    colour = (is_terminal or forced) and not dumb and not is_plain and not environment.get("NO_COLOR")
    width = shutil.get_terminal_size((100, 24)).columns if is_terminal else PIPED_WIDTH
    interactive = is_terminal and not dumb and not is_plain and not environment.get("CI")
    return Terminal(interactive, colour, width)


def ring() -> bool:
    """Ring the bell of the terminal that shows stderr; False where there is none."""
    if not terminal_of(sys.stderr, is_plain=False).interactive:
        return False
    sys.stderr.write("\a")
    sys.stderr.flush()
    return True
