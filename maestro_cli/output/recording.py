"""A terminal session as a picture. Invariant: shows what was shown, nothing added but the command line."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from maestro_cli.core.errors import ActionFailed
from maestro_cli.core.files import write_atomically
from maestro_cli.core.untrusted import visible
from maestro_cli.output.views import Listing, Report
from maestro_cli.output.writer import print_block, shown_blocks

WIDTH = 118


def write_svg(path: Path, command: str, lines: Sequence[tuple[str, str]], report: Report) -> None:
    """Write an SVG of `$ command`, the progress lines with their style, and the report.

    Raises ActionFailed when the file cannot be written.
    """
    from rich.console import Console
    from rich.text import Text

    console = Console(
        record=True, file=io.StringIO(), width=WIDTH, force_terminal=True, color_system="truecolor",
        highlight=False, markup=False, emoji=False,
    )  # fmt: skip
    console.print(Text(f"$ {command}", style="bold"))
    for line, style in lines:
        text = Text(visible(line), no_wrap=True, overflow="ellipsis")
        if style:
            text.stylize(style, 0, 1)
        console.print(text)
    for block in shown_blocks(report):
        console.print()
        if isinstance(block, Listing) and not block.items:
            continue
        print_block(console, block, wide=False)
    try:
        write_atomically(path, console.export_svg(title=command, unique_id="maestro"))
    except OSError as error:
        raise ActionFailed(f"the picture {path} cannot be written", why=str(error)) from error
