"""A manifest, runbook or diff to read, search and copy."""

from __future__ import annotations

from maestro_cli.tui.widgets.source_colours import source_lines
from maestro_cli.tui.widgets.text_view import TextView

KINDS = ("yaml", "json", "markdown", "diff", "text")


class YamlView(TextView):
    """Shows a text as it is, lightly coloured by its kind."""

    def show(self, text: str, kind: str = "yaml") -> None:
        """Show this text instead; a kind that is not in KINDS has no colours."""
        self.show_lines(source_lines(text, kind))
