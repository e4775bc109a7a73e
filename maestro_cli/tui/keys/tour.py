"""The tour of the first start. Invariant: it names keys as they are now, and says where it is found again."""

from __future__ import annotations

from collections.abc import Mapping

from maestro_cli.tui.keys.names import spoken_keys
from maestro_cli.tui.keys.table import every_key
from maestro_cli.tui.text import Spans, shown

STEPS = (
    ("console.command", "goes anywhere: :pods, :pods ml, :ctx staging. Tab completes."),
    ("console.filter", "shows what matches: fraud, !running, -l app=fraud, @staging."),
    ("table.open", "opens what the cursor is on."),
    ("console.back", "leads back."),
    ("table.mark", "marks a row; actions are then about all that are marked."),
    ("view.menu", "lists what can be done, how much it can hurt, why not now."),
    ("console.arm", "arms the context for minutes; until then nothing can be changed."),
    ("console.log", "shows what was done here, as commands to copy."),
    ("console.help", "lists every key that works where you are."),
    ("console.quit", "leaves the console."),
)  # fmt: skip


def tour_text(chosen: Mapping[str, str]) -> list[Spans]:
    """The lines of the tour, with the keys that somebody `chosen`."""
    keys = {key.id: chosen.get(key.id, key.keys) for key in every_key()}
    lines: list[Spans] = [
        (("maestro in ten keys", "title"), ("   Esc closes it, and : to type; :tour shows it again", "dim")),
        (("", ""),),
    ]
    for name, words in STEPS:
        lines.append(((f"{shown(spoken_keys(keys[name])):>8}", "key"), (f"  {words}", "")))
    lines += [
        (("", ""),),
        (("Nothing hurts on a bare letter; each change shows its plan and asks, with Cancel chosen.", ""),),
    ]
    return lines
