"""What every picture begins with, and how words get into one.

Invariant: every text is made visible and escaped; no script, no style sheet, no reference outside.
"""

from __future__ import annotations

from html import escape

from maestro_cli.core.untrusted import visible

WIDTH = 760
INK, FAINT, PAPER = "#222222", "#cfd4da", "#ffffff"
GOOD, BAD = "#0b5cad", "#d9663c"
MOST_CHARACTERS = 120


def opened(title: str, height: int, left: int) -> tuple[str, ...]:
    """The first lines of a picture: its size, its paper and its title."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" role="img" font-family="sans-serif" font-size="10" fill="{INK}">',
        f"<title>{words(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>',
        f'<text x="{left}" y="16" font-size="13" font-weight="bold">{words(title)}</text>',
    )


def words(text: str) -> str:
    return escape(visible(text, MOST_CHARACTERS))


def label(text: str, x: float, y: float, *, anchor: str = "start", fill: str = "") -> str:
    """A text at a place; `anchor` is start, middle or end."""
    more = (f' text-anchor="{anchor}"' if anchor != "start" else "") + (f' fill="{fill}"' if fill else "")
    return f'<text x="{x:.1f}" y="{y:.1f}"{more}>{words(text)}</text>'


def box(x: float, y: float, width: float, height: float, look: str, title: str = "") -> str:
    """A rectangle; `look` are its attributes, written here; `title` is told when somebody points at it."""
    told = f"<title>{words(title)}</title>" if title else ""
    size = f'width="{max(width, 0):.1f}" height="{max(height, 0):.1f}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size} {look}>{told}</rect>'


def line(x1: float, y1: float, x2: float, y2: float, look: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {look}/>'
