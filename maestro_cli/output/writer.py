"""The only writer of stdout. Invariant: stdout is data in the format asked for, and nothing else."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TextIO

from maestro_cli.core.canonical import plain
from maestro_cli.core.errors import ActionFailed, UsageError
from maestro_cli.core.untrusted import UNSAFE, markdown_code, markdown_text, visible, visible_block
from maestro_cli.output import tables
from maestro_cli.output.diagnostics import note
from maestro_cli.output.formats import Format
from maestro_cli.output.jsonpath import evaluate
from maestro_cli.output.terminal import Terminal, terminal_of
from maestro_cli.output.views import (
    SCHEMA_PREFIX,
    Block,
    Fields,
    Heading,
    Lines,
    Listing,
    Picture,
    Report,
    View,
)

JSON_BATCH = 500
_LONG = 50_000  # characters of JSON, for which another writer is worth loading
_NARROWEST_VALUE = 24  # columns
_WIDEST_PICTURE = 100  # columns
_ITEMS_OPEN, _ITEMS_CLOSE = len('{\n  "items": ['), -len("\n  ]\n}")


@dataclass(frozen=True, slots=True)
class OutputOptions:
    format: Format = field(default_factory=Format)
    is_plain: bool = False


def emit(view: View, options: OutputOptions, stream: TextIO | None = None) -> None:
    """Write a view to stdout in the chosen format.

    Raises UsageError where the format has no sense, ActionFailed when stdout cannot be written (a full
    disk), BrokenPipeError when nobody reads it any more.
    """
    out = stream if stream is not None else sys.stdout
    kind = options.format.kind
    if kind == "json" and isinstance(view, Listing) and view.is_json:
        with _writing():
            _write_json(view, out)
        return
    if kind == "json":
        text = json_text(view.body())  # tuples, enums and instants become plain while it is written
    elif kind == "yaml":
        from maestro_cli.config.strict import dump_yaml  # loads PyYAML

        text = dump_yaml(_without_nan(plain(view.body()))).rstrip("\n")
    elif kind == "jsonpath":
        body = _without_nan(plain(view.body()))
        text = visible_block(evaluate(options.format.path, body))
    elif kind == "csv":
        text = csv_of(view)
    elif kind == "md":
        text = markdown_of(view)
    elif kind == "html":
        from maestro_cli.output.pages import page_of  # loads a Markdown parser

        text = page_of(view).rstrip("\n")
    else:
        with _writing():
            _emit_for_people(view, options, out)
        return
    with _writing():
        out.write(text + "\n" if text else "")
        out.flush()


def emit_text(text: str, stream: TextIO | None = None) -> None:
    """Write text that is itself the product (a kubeconfig path, a document, log lines), made visible."""
    out = stream if stream is not None else sys.stdout
    with _writing():
        out.write(visible_block(text).rstrip("\n") + "\n")
        out.flush()


def emit_lines(lines: Iterable[str], stream: TextIO | None = None) -> None:
    """Write lines that were made visible already, or are JSON of `compact_json`."""
    out = stream if stream is not None else sys.stdout
    with _writing():
        out.writelines(f"{line}\n" for line in lines)
        out.flush()


def compact_json(body: Any) -> str:
    """JSON on one line, as `json_text` spells it."""
    return UNSAFE.sub(_escaped, json.dumps(body, ensure_ascii=False, allow_nan=False))


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise output_error(error) from error


def output_error(error: OSError) -> ActionFailed:
    """The error for an stdout that takes no more, such as a full disk."""
    why = error.strerror or type(error).__name__
    return ActionFailed("the output cannot be written", why=why, fix="free space where it goes")


def json_text(body: Any) -> str:
    """Two-space JSON; NaN and infinity, which JSON cannot say, are null."""
    try:
        line = json.dumps(body, ensure_ascii=False, allow_nan=False, default=plain)
    except ValueError:
        body = _without_nan(plain(body))
        line = json.dumps(body, ensure_ascii=False)
    return UNSAFE.sub(_escaped, _indented(body, line))


def _indented(body: Any, line: str) -> str:
    """With an indent the standard library takes ten times as long as for one line: a long one is parted."""
    if len(line) >= _LONG:
        import msgspec

        with suppress(UnicodeEncodeError):  # half a surrogate pair
            return msgspec.json.format(line, indent=2)
    return json.dumps(body, indent=2, ensure_ascii=False, default=plain)


def _write_json(listing: Listing[Any], out: TextIO) -> None:
    """The text of `json_text`, some hundred items at a time, by a writer that is 20 times faster."""
    import msgspec

    whole = json_text({"schema": SCHEMA_PREFIX + listing.schema, "items": []})
    head, tail = whole.removesuffix("]\n}"), "\n  ]\n}\n" if listing.items else "]\n}\n"
    out.write(head)
    for start in range(0, len(listing.items), JSON_BATCH):
        documents = [listing.document(item) for item in listing.items[start : start + JSON_BATCH]]
        try:
            lines = msgspec.json.format(msgspec.json.encode({"items": documents}, enc_hook=str), indent=2)
            text = lines.decode()
        except UnicodeEncodeError:  # half a surrogate pair, which UTF-8 cannot say and JSON can
            text = json_text({"items": documents})
        else:
            text = text if text.isascii() and "\x7f" not in text else UNSAFE.sub(_escaped, text)
        out.write("," if start else "")
        out.write(text[_ITEMS_OPEN:_ITEMS_CLOSE])
    out.write(tail)
    out.flush()


def _without_nan(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    return [_without_nan(item) for item in value] if isinstance(value, list) else value


def _escaped(match: re.Match[str]) -> str:
    return json.dumps(match.group(0))[1:-1]


def csv_of(view: View) -> str:
    """Raises UsageError for what is not one table."""
    if isinstance(view, Listing):
        return tables.csv_text(view)
    if view.rows is not None:
        return tables.csv_text(view.rows)
    listings = [block for block in view.blocks if isinstance(block, Listing)]
    if len(listings) != 1:
        raise UsageError("this report is not one table, so it has no CSV form", fix="use -o json or -o md")
    return tables.csv_text(listings[0])


def markdown_of(view: View, *, for_page: bool = False) -> str:
    """A view as Markdown, in which nothing that a cell says acts.

    For a page its pictures are named, and lines are kept as they are.
    """
    if isinstance(view, Listing):
        return tables.markdown_table(view)
    parts = []
    for block in view.blocks:
        if isinstance(block, Picture):
            parts += [f"![{markdown_text(block.title)}]({block.name}.svg)"] if for_page else []
            continue
        if isinstance(block, Heading):
            parts.append(f"## {markdown_text(block.text)}")
        elif isinstance(block, Fields):
            rows = [f"- **{label}**: {markdown_text(tables.cell_text(value))}" for label, value in block.rows]
            parts.append("\n".join(rows))
        elif isinstance(block, Lines):
            parts.append(markdown_code(block.text) if for_page else visible_block(block.text))
        else:
            parts.append(tables.markdown_table(block) if block.items else markdown_text(block.empty))
    return "\n\n".join(parts)


def _emit_for_people(view: View, options: OutputOptions, out: TextIO) -> None:
    terminal = terminal_of(out, is_plain=options.is_plain)
    wide = options.format.kind == "wide"
    blocks = shown_blocks(view)
    if not terminal.colour and not terminal.interactive:
        for index, block in enumerate(blocks):
            if index:
                out.write("\n")
            text = _plain_block(block, wide=wide, width=terminal.width)
            if isinstance(block, Listing) and not block.items and isinstance(view, Report):
                text = visible(block.empty)
            out.write(text + "\n" if text else "")
        out.flush()
        if isinstance(view, Listing) and not view.items:  # stdout stays empty for scripts
            note(view.empty)
        return
    left_out = _emit_blocks(blocks, terminal, out, room=None if wide else terminal.width)
    out.flush()
    if left_out:
        note(f"{not_shown(left_out, terminal.width)}; -o wide shows all")


def _emit_blocks(blocks: Sequence[Block], terminal: Terminal, out: TextIO, *, room: int | None) -> list[str]:
    """Write the blocks to a terminal; returns the titles of the columns that it has no room for."""
    left_out: list[str] = []
    console = None
    for index, block in enumerate(blocks):
        if index:
            out.write("\n")
        if isinstance(block, Listing) and block.items:
            table = tables.screen_table(block, wide=room is None, room=room, colour=terminal.colour)
            out.writelines(f"{line}\n" for line in table.lines)
            left_out += table.left_out
            continue
        if console is None:
            from rich.console import Console  # 40 ms, not for a table alone

            console = Console(file=out, width=terminal.width, highlight=False, markup=False, emoji=False)
        print_block(console, block, wide=room is None)
    return left_out


def shown_blocks(view: View) -> list[Block]:
    """What of a view people see on a terminal."""
    if isinstance(view, Listing):
        return [view]
    return [one for one in view.blocks if not isinstance(one, Picture) or one.lines is not None]


def not_shown(titles: Sequence[str], width: int) -> str:
    """That a terminal of so many columns has no room for these."""
    return f"not shown in {width} columns: {', '.join(dict.fromkeys(titles))}"


def _plain_block(block: Block, *, wide: bool, width: int) -> str:
    if isinstance(block, Picture):
        return "\n".join((visible(block.title.upper()), "", *_drawn(block, width, colour=False)))
    if isinstance(block, Heading):
        return visible(block.text.upper())
    if isinstance(block, Lines):
        return visible_block(block.text)
    if isinstance(block, Fields):
        width = max((len(label) for label, _ in block.rows), default=0)
        return "\n".join(f"{label.ljust(width)}  {tables.cell_text(value)}" for label, value in block.rows)
    if isinstance(block, Listing):
        return tables.plain_table(block, wide=wide)
    raise TypeError(f"{type(block).__name__} is not a block")


def _drawn(picture: Picture, width: int, *, colour: bool) -> Sequence[str]:
    return picture.lines(min(width, _WIDEST_PICTURE), colour) if picture.lines is not None else ()


def print_block(console: Any, block: Any, *, wide: bool) -> tuple[str, ...]:
    """Print one block on a Rich console; returns the titles of the columns that it has no room for."""
    from rich.text import Text

    if isinstance(block, Listing):
        if not block.items:
            console.print(Text(visible(block.empty), style="dim"))
            return ()
        table = tables.screen_table(block, wide=wide, room=console.width, colour=True)
        for row in table.lines:
            console.print(Text.from_ansi(row), soft_wrap=True)
        return table.left_out
    if isinstance(block, Picture):
        console.print(Text(visible(block.title), style="bold underline"))
        console.print()
        for row in _drawn(block, console.width, colour=not console.no_color):
            console.print(Text.from_ansi(row), soft_wrap=True)
        return ()
    if isinstance(block, Heading):
        console.print(Text(visible(block.text), style="bold underline"))
    elif isinstance(block, Fields):
        width = max((len(label) for label, _ in block.rows), default=0)
        for label, value in block.rows:
            line = Text(label.ljust(width) + "  ", style="bold")
            line.append(_hanging(tables.cell_text(value), width + 2, console.width), style="not bold")
            console.print(line)
    else:
        console.print(Text(visible_block(block.text)))
    return ()


def _hanging(text: str, indent: int, width: int) -> str:
    """The text with each further line under its first; as it is where there is no room for that."""
    if tables.text_width(text) + indent <= width or width - indent < _NARROWEST_VALUE:
        return text
    return ("\n" + " " * indent).join(tables.folded(text, width - indent))
