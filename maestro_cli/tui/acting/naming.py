"""Dialogs that a name is typed in for a yes.

Invariant: Cancel has the focus, and Enter alone is no, until every name stands there. What is typed or pasted
goes into the first field that does not hold its name yet, wherever the focus is; nothing but the very name is
a yes, so no line that comes late from elsewhere is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.text import Text
from textual import events, on
from textual.widget import Widget
from textual.widgets import Button, Input, Label

from maestro_cli.core.untrusted import visible
from maestro_cli.tui.acting.dialog import Dialog
from maestro_cli.tui.widgets.typed_line import TypedLine


@dataclass(frozen=True, slots=True)
class Name:
    """A field; `exact` has to stand in it, "" for anything, and `miss` is said of all else."""

    field: str
    label: str
    exact: str = ""
    miss: str = ""


class NamedDialog(Dialog):
    """Base of those; who derives from it says the names, and what a yes answers."""

    def names(self) -> Sequence[Name]:
        """In the order of the fields; the same while it is mounted."""
        return ()

    def said_yes(self) -> None:
        """Every name stands where it belongs."""
        raise NotImplementedError

    def fields(self) -> Iterator[Widget]:
        """The fields, each below what it is for."""
        for name in self.names():
            yield Label(Text(visible(name.label)))
            yield TypedLine(id=name.field)

    def on_mount(self) -> None:
        self.query_one("#cancel", Button).focus()

    def typed(self, field: str) -> str:
        """What stands in a field; "" also where there is no such field."""
        found = self.query(f"#{field}").results(Input)
        return next((one.value.strip() for one in found), "")

    def field_for(self, text: str) -> Input | None:
        """Where a text goes that was typed while no field had the focus."""
        names = self.names()
        lacking = (one for one in names if not one.exact or self.typed(one.field) != one.exact)
        name = next(lacking, names[0] if names else None)
        return None if name is None else self.query_one(f"#{name.field}", Input)

    def on_key(self, event: events.Key) -> None:
        if event.is_printable and event.character is not None and self._take(event.character):
            event.stop()
            event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        """As a field takes it: its first line alone, and no Enter."""
        if event.text and self._take(event.text.splitlines()[0]):
            event.stop()

    def _take(self, text: str) -> bool:
        """Type it into its field; False where a field, or what is read, has the focus."""
        if not isinstance(self.focused, Button | None):
            return False
        field = self.field_for(text)
        if field is None:
            return False
        field.select_on_focus = False  # what is typed next goes behind it, not in its place
        self.set_focus(field)
        field.cursor_position = len(field.value)
        field.insert_text_at_cursor(text)
        return True

    @on(Input.Submitted)
    def entered(self, event: Input.Submitted) -> None:
        """Enter: no while no name was typed, on to the next field that lacks its name, else as the button."""
        event.stop()
        exact = [name for name in self.names() if name.exact]
        own = next((name for name in self.names() if name.field == event.input.id), None)
        if own is not None and own.exact and not any(self.typed(name.field) for name in exact):
            self.answer(None)
            return
        lacking = [name for name in exact if not self.typed(name.field)]
        if lacking and (own is None or self._holds(own)):
            self.query_one(f"#{lacking[0].field}", Input).focus()
        else:
            self.agreed()

    def _holds(self, name: Name) -> bool:
        return not name.exact or self.typed(name.field) == name.exact

    @on(Button.Pressed, "#go")
    def agreed(self) -> None:
        """Yes, if every name stands there."""
        for name in self.names():
            if not self._holds(name):
                self.problem(name.miss or f"that is not {name.exact}; nothing was done")
                self.query_one(f"#{name.field}", Input).focus()
                return
        self.said_yes()


def protected_name(context: str, field: str = "context") -> tuple[Name, ...]:
    """The field of a protected context; none for ""."""
    return (Name(field, f"{context} is protected; type its name", context),) if context else ()
