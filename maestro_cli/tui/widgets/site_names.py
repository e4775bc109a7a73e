"""The name of a context on its colour.

Invariant: what stands there is its name; without colours nothing is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.style import Style
from rich.text import Text
from textual.app import App
from textual.color import Color

from maestro_cli.config.colours import colour_of
from maestro_cli.core.untrusted import visible
from maestro_cli.tui.heading import Spans
from maestro_cli.tui.swatches import swatch_tone


def swatch_style(variables: Mapping[str, str], tone: str) -> Style:
    """The style of a swatch in a theme; none where the theme knows no such."""
    if tone not in variables:
        return Style()
    text, ground = (Color.parse(variables[one]).rich_color for one in (f"{tone}-text", tone))
    return Style(color=text, bgcolor=ground)


def colour_here(app: App[Any], context: str) -> str:
    """The colour of a context in an app, which may know none but those of names."""
    known = getattr(app, "colour_of_context", None)
    return str(known(context)) if callable(known) else colour_of(context, None)


def toned_text(app: App[Any], spans: Spans) -> Text:
    """A text, what has the tone of a context on its colour."""
    shown = Text()
    for text, tone in spans:
        shown.append(visible(text), swatch_style(app.theme_variables, tone))
    return shown


def site_names(app: App[Any], contexts: Sequence[str]) -> Text:
    """` prod-eu   staging `, each on its colour; a name is shown text."""
    parts = []
    for context in contexts:
        tone = swatch_tone(colour_here(app, context))
        parts.append(Text(f" {visible(context, 80)} ", style=swatch_style(app.theme_variables, tone)))
    return Text(" ").join(parts)
