"""A view of costs as a file for people: Markdown, or one HTML page that stands alone."""

from __future__ import annotations

from pathlib import Path

from maestro_cli.core.errors import ActionFailed, NotFound, UsageError
from maestro_cli.core.files import unusable, write_atomically
from maestro_cli.output.pages import page_of
from maestro_cli.output.views import Report
from maestro_cli.output.writer import markdown_of

FORMS = (".md", ".html")


def check_document(path: Path) -> None:
    """Before anything is asked of anybody. Raises UsageError, NotFound for a folder that is not there."""
    if path.suffix not in FORMS:
        raise UsageError(f"{path.name!r} is no name of a document", fix=f"end it in {' or '.join(FORMS)}")
    if not path.parent.is_dir():
        raise NotFound(f"there is no folder {path.parent}", fix=f"mkdir -p {path.parent}, or another FILE")


def write_document(view: Report, path: Path, title: str) -> None:
    """Raises what `check_document` raises, and ActionFailed when it cannot be written."""
    check_document(path)
    page = page_of(view, title) if path.suffix == ".html" else markdown_of(view)
    try:
        write_atomically(path, page)
    except OSError as error:
        raise ActionFailed(f"{path} cannot be written", why=unusable(path, error)) from error
