"""A view as one file that a person opens: a page (.html) that stands alone, or Markdown (.md)."""

from __future__ import annotations

from pathlib import Path

from maestro_cli.core.errors import UsageError
from maestro_cli.core.untrusted import markdown_text
from maestro_cli.output.document import html_page
from maestro_cli.output.evidence import write_files
from maestro_cli.output.views import Listing, Picture, Report, View
from maestro_cli.output.writer import markdown_of

FORMS = (".md", ".html")
_MANY_COLUMNS = 8


def check_form(path: Path) -> None:
    """Before anything is begun. Raises UsageError."""
    if path.suffix not in FORMS:
        raise UsageError(f"{path.name!r} has no form that a report has", fix=f"--to FILE{'|'.join(FORMS)}")


def page_of(view: View, title: str = "") -> str:
    """The view with its pictures as HTML that fetches nothing and runs nothing."""
    pictures, named = {}, view.schema.partition("/")[0]
    if isinstance(view, Report):
        pictures = {f"{one.name}.svg": one.svg() for one in view.blocks if isinstance(one, Picture)}
        title = title or view.title
    title = title or named
    markdown = f"# {markdown_text(title)}\n\n{markdown_of(view, for_page=True)}"
    blocks = view.blocks if isinstance(view, Report) else [view]
    is_wide = any(isinstance(one, Listing) and len(one.columns) > _MANY_COLUMNS for one in blocks)
    return html_page(markdown, pictures, title=title, is_wide=is_wide)


def write_page(report: Report, title: str, path: Path) -> None:
    """In the form that the name ends in. Raises UsageError, ActionFailed."""
    check_form(path)
    text = page_of(report, title) if path.suffix == ".html" else markdown_of(report)
    write_files(path.parent, {path.name: text.rstrip("\n") + "\n"})
