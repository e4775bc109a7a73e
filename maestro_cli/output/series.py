"""How things that one picture shows are told apart: a letter, and a colour that says no more than it.

Invariant: the same things in the same order look the same in every picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maestro_cli.output.svg_parts import FAINT, INK, PAPER, box, label


@dataclass(frozen=True, slots=True)
class Look:
    """`code` is of the 256 colours of terminals, and `fill` the same for SVG."""

    letter: str
    code: int
    fill: str


LOOKS = (
    Look("a", 75, "#5fafff"),
    Look("b", 215, "#ffaf5f"),
    Look("c", 114, "#87d787"),
    Look("d", 183, "#d7afff"),
    Look("e", 222, "#ffd787"),
    Look("f", 80, "#5fd7d7"),
    Look("g", 210, "#ff8787"),
    Look("h", 150, "#afd787"),
    Look("i", 147, "#afafff"),
    Look("j", 180, "#d7af87"),
)
REST = Look("+", 251, "#c6c6c6")
_MARKED = (253, "#eef0f2")


@dataclass(frozen=True, slots=True)
class Series:
    """One thing: its untrusted name, its amount, words about that, and the amounts it is the sum of.

    `mark` is a character instead of a letter, for what is no thing of its own: unused capacity.
    """

    name: str
    amount: float
    words: str
    mark: str = ""
    amounts: tuple[float, ...] = ()


def looks_of(series: Sequence[Series]) -> list[Look]:
    """Of each; what has no letter any more looks like the rest."""
    letters = iter(LOOKS)
    return [Look(one.mark, *_MARKED) if one.mark else next(letters, REST) for one in series]


def painted(runs: Sequence[tuple[str, Look | None]], *, colour: bool) -> str:
    """Pieces of a line; those with a look in dark letters on its colour, where colour is wanted."""
    return "".join(
        f"\x1b[38;5;16;48;5;{look.code}m{text}\x1b[0m" if look is not None and colour and text else text
        for text, look in runs
    )


def attributes(look: Look) -> str:
    """Of a rectangle in SVG; what has a mark has an outline too."""
    outline = f'stroke="{INK}" stroke-dasharray="2 2"' if look.fill == _MARKED[1] else f'stroke="{PAPER}"'
    return f'fill="{look.fill}" {outline}'


def svg_legend(named: Sequence[tuple[Look, str]], left: float, top: float, width: float) -> list[str]:
    """Two columns of keys; `legend_height` says how high it is."""
    lines = []
    for index, (look, text) in enumerate(named):
        x, y = left + (index % 2) * width / 2, top + index // 2 * _KEY
        lines.append(box(x, y, 10, 10, f'fill="{look.fill}" stroke="{FAINT}"'))
        lines.append(label(f"{look.letter} {text}", x + 15, y + 9))
    return lines


def legend_height(count: int) -> int:
    return (count + 1) // 2 * _KEY


_KEY = 16
