"""The pane of what was done: each as the command that does the same, with how it ended, to copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from maestro_cli.output.views import Column
from maestro_cli.tui.keys.kubectl import Cluster, kubectl_line
from maestro_cli.tui.store.model import Logged
from maestro_cli.tui.widgets.fact_table import FactTable


def columns_of(cluster: Cluster) -> tuple[Column[Logged], ...]:
    return (
        Column("at", lambda one: f"{one.at.astimezone():%H:%M:%S}"),
        Column("outcome", lambda one: one.outcome or "told"),
        Column("command", lambda one: one.line),
        Column("with kubectl", lambda one: kubectl_line(one.line, cluster) or "-"),
    )


NOTHING = "nothing was done yet"


class CommandLog(Vertical):
    """Shows `Snapshot.log`, the newest last."""

    DEFAULT_CSS = """
    CommandLog { height: 8; display: none; border-top: solid $border; }
    CommandLog.open { display: block; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy_line", "Copy", id="done.copy", tooltip="Copy the command of this line."),
        Binding("Y", "copy_kubectl", "Copy kubectl", id="done.copy-kubectl",
                tooltip="Copy the kubectl line that does nearly the same."),
    ]  # fmt: skip

    class Copied(Message):
        """A line for the clipboard."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, cluster: Cluster) -> None:
        super().__init__()
        self._cluster, self._columns = cluster, columns_of(cluster)
        self._table = FactTable()
        self._log: tuple[Logged, ...] = ()

    def compose(self) -> ComposeResult:
        yield self._table

    def on_mount(self) -> None:
        self._table.show(self._columns, (), lambda one: str(one.id), empty=NOTHING)

    @property
    def is_open(self) -> bool:
        return self.has_class("open")

    def toggle(self) -> bool:
        """Show or hide it; whether it is shown now."""
        self.toggle_class("open")
        if self.is_open:
            self._table.focus()
        return self.is_open

    def show(self, log: Sequence[Logged]) -> None:
        if tuple(log) != self._log:
            self._log = tuple(log)
            at_end = self._table.cursor_key in (None, str(self._log[-2].id) if len(self._log) > 1 else None)
            self._table.show(self._columns, self._log, lambda one: str(one.id), empty=NOTHING)
            if at_end and self._log:
                self._table.move_to(str(self._log[-1].id))

    def _chosen(self) -> Logged | None:
        return next((one for one in self._log if str(one.id) == self._table.cursor_key), None)

    def action_copy_line(self) -> None:
        chosen = self._chosen()
        self.post_message(self.Copied("" if chosen is None else chosen.line))

    def action_copy_kubectl(self) -> None:
        chosen = self._chosen()
        self.post_message(self.Copied("" if chosen is None else kubectl_line(chosen.line, self._cluster)))
