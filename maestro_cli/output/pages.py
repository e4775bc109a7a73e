"""A report as one file that a person opens: a page (.html), or Markdown (.md)."""

from __future__ import annotations

from pathlib import Path

from maestro_cli.core.errors import UsageError
from maestro_cli.output.document import html_page
from maestro_cli.output.evidence import write_files
from maestro_cli.output.views import Report
from maestro_cli.output.writer import markdown_of

FORMS = (".md", ".html")


def check_form(path: Path) -> None:
    """Before anything is begun. Raises UsageError."""
    if path.suffix not in FORMS:
        raise UsageError(f"{path.name!r} has no form that a report has", fix=f"--to FILE{'|'.join(FORMS)}")


def write_page(report: Report, title: str, path: Path) -> None:
    """In the form that the name ends in. Raises UsageError, ActionFailed."""
    check_form(path)
    text = markdown_of(report)
    if path.suffix == ".html":
        text = html_page(text, {}, title=title)
    write_files(path.parent, {path.name: text + "\n"})
