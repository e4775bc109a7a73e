"""A report as lines. A stand-in of the first hour."""

from __future__ import annotations

import io

from rich.text import Text
from textual.containers import VerticalScroll
from textual.widgets import Static

from maestro_cli.output.views import Report
from maestro_cli.output.writer import OutputOptions, emit


class ReportView(VerticalScroll):
    def compose(self):  # type: ignore[no-untyped-def]
        yield Static()

    def show(self, report: Report) -> None:
        out = io.StringIO()
        emit(report, OutputOptions(), out)
        self.query_one(Static).update(Text(out.getvalue()))
