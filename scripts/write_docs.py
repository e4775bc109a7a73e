"""Write docs/commands.md from the program: every command with its help, and every exit code; and
docs/shipped-runbooks.md from the files that ship: every runbook with its alerts, playbook and drill; and
docs/console-keys.md from the console: every key with its id.

Run it after changing a command, a runbook or a screen; a test compares the files with what this writes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from maestro_cli.chaos.drills.scenarios import SCENARIOS
from maestro_cli.cli.lazy import load
from maestro_cli.cli.main import app
from maestro_cli.cli.registry import COMMANDS
from maestro_cli.config.locations import shipped
from maestro_cli.core.errors import EXIT_CODE_MEANINGS
from maestro_cli.runbooks.alerts import read_alerts
from maestro_cli.runbooks.catalog import RunbookCatalog
from maestro_cli.runbooks.model import Runbook
from maestro_cli.runbooks.playbooks import PlaybookCatalog
from maestro_cli.tui.keys.model import Key
from maestro_cli.tui.keys.names import normal_key, split_keys, spoken_key
from maestro_cli.tui.keys.table import every_key
from maestro_cli.tui.screens.table import every_screen

DOCS = Path(__file__).resolve().parent.parent / "docs"
WIDTH = 100


def document() -> str:
    """The whole page."""
    root: Any = typer.main.get_command(app)
    parts = [
        "# Commands",
        "Written from the program by `python scripts/write_docs.py`; do not edit by hand.",
        "`--context NAME`, `--read-only` and `--plain` may stand anywhere on the line.",
        f"```text\n{_help(root, 'maestro')}\n```",
    ]
    for stub in COMMANDS:
        parts += list(_pages(load(stub), f"maestro {stub.name}", 2))
    rows = [f"| {int(code)} | {meaning} |" for code, meaning in EXIT_CODE_MEANINGS.items()]
    parts += ["## Exit codes", "\n".join(["| code | meaning |", "| ---: | --- |", *rows])]
    return "\n\n".join(parts) + "\n"


def _pages(command: Any, path: str, level: int) -> Iterator[str]:
    yield f"{'#' * level} {path}"
    yield f"```text\n{_help(command, path)}\n```"
    for name, child in getattr(command, "commands", {}).items():
        yield from _pages(child, f"{path} {name}", level + 1)


def _help(command: Any, path: str) -> str:
    names = ["-h", "--help"]
    context = command.context_class(command, info_name=path, terminal_width=WIDTH, help_option_names=names)
    text: str = command.get_help(context)
    return "\n".join(line.rstrip() for line in text.splitlines())


def runbooks_page() -> str:
    """The page of what ships."""
    catalog = RunbookCatalog([shipped("runbooks")])
    alerts: dict[str, list[str]] = {}
    for rule in read_alerts([shipped("deploy")]):
        bound = catalog.for_alert({**rule.labels, "alertname": rule.name}, rule.annotations).runbook
        names = alerts.setdefault(bound.id if bound is not None else "", [])
        if rule.name not in names:
            names.append(rule.name)
    for scenario in SCENARIOS:  # an alert that several runbooks answer is bound to one of them
        names = alerts.setdefault(scenario.runbook, [])
        if scenario.alert not in names:
            names.append(scenario.alert)
    parts = [
        "# Shipped runbooks",
        "Written from `runbooks/`, `playbooks/`, `deploy/alerts` and the drills by"
        " `python scripts/write_docs.py`; do not edit by hand.",
        "Each has a rehearsal beside it (`maestro runbook test ID`). Its drill breaks something real on the"
        " embedded platform and waits for the alert (`maestro drill run NAME`); the alert files are those to"
        " load in production, with shorter times. How runbooks work: [runbooks.md](runbooks.md).",
    ]
    rows = [_row(book, alerts.get(book.id, [])) for book in catalog.all()]
    head = ["| runbook | when | alerts | what it does | drills |", "| --- | --- | --- | --- | --- |"]
    return "\n\n".join([*parts, "\n".join([*head, *rows])]) + "\n"


def _row(book: Runbook, alerts: list[str]) -> str:
    playbooks = PlaybookCatalog([shipped("playbooks")]).all()
    does = [one.title for one in playbooks if book.id in [step.runbook for step in one.steps]]
    drills = [f"`{scenario.name}`" for scenario in SCENARIOS if scenario.runbook == book.id]
    cells = [
        f"[{book.id}](../runbooks/{book.id}.md)", book.title, ", ".join(f"`{name}`" for name in alerts),
        "; ".join(does), ", ".join(drills),
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def keys_page() -> str:
    """The page of every key of the console."""
    parts = [
        "# Keys of the console",
        "Written from the program by `python scripts/write_docs.py`; do not edit by hand. An id names its"
        " key in `keys.yaml` ([console.md](console.md)); what has no key is chosen with `x` or `ctrl+p`.",
    ]
    places: dict[str, list[Key]] = {}
    for key in every_key():
        places.setdefault(key.place, []).append(key)
    screens = every_screen()
    for place, keys in places.items():
        screen = screens.get(place)
        parts.append(f"## {place.capitalize() if screen is None else screen.title}")
        if screen is not None:
            names = ", ".join(f"`:{name}`" for name in (screen.id, *screen.aliases))
            parts.append(f"{screen.help} {names}{f', `{screen.digit}`' if screen.digit else ''}")
        rows = [f"| {_cells(key)} |" for key in keys]
        parts.append("\n".join(["| key | does | danger | id |", "| --- | --- | --- | --- |", *rows]))
    bare = [one for one in screens.values() if one.id not in places]
    rows = [f"| {one.title} | `:{one.id}` | {one.help} |" for one in bare]
    if rows:
        parts += ["## Screens without keys of their own"]
        parts.append("\n".join(["| screen | typed | shows |", "| --- | --- | --- |", *rows]))
    return "\n\n".join(parts) + "\n"


def _cells(key: Key) -> str:
    pressed = " ".join(f"`{spoken_key(normal_key(one))}`" for one in split_keys(key.keys)) or "-"
    pressed = pressed.replace("|", "\\|")  # or it would end the cell
    words = key.title if key.tooltip == key.title else f"**{key.title}**: {key.tooltip}"
    return " | ".join((pressed, words, key.danger.value, f"`{key.id}`"))


if __name__ == "__main__":
    pages = {"commands.md": document, "shipped-runbooks.md": runbooks_page, "console-keys.md": keys_page}
    for name, make in pages.items():
        text = make()
        (DOCS / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{DOCS / name}\n")
