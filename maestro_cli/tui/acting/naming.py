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
    """A field; `exact` has to stand in it, or each of the `words`. `miss` is said of all but the exact."""

    field: str
    label: str
    exact: str = ""
    miss: str = ""
    words: tuple[str, ...] = ()

    def why_not(self, text: str) -> str:
        """What is wrong with a text; "" where it holds."""
        if self.exact and text != self.exact:
            return self.miss or f"that is not {self.exact}; nothing was done"
        lacking = [one for one in self.words if one not in words_of(text)]
        return f"not accepted: {', '.join(lacking)}; nothing was done" if lacking else ""


def words_of(text: str) -> frozenset[str]:
    """Of a line, with commas or without."""
    return frozenset(text.replace(",", " ").split())


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
        lacking = (one for one in names if one.why_not(self.typed(one.field)))
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
        names = self.names()
        own = next((name for name in names if name.field == event.input.id), None)
        if own is not None and not any(self.typed(name.field) for name in names):
            self.answer(None)
            return
        lacking = [name for name in names if not self.typed(name.field)]
        if lacking and (own is None or not own.why_not(self.typed(own.field))):
            self.query_one(f"#{lacking[0].field}", Input).focus()
        else:
            self.agreed()

    @on(Button.Pressed, "#go")
    def agreed(self) -> None:
        """Yes, if every name stands there."""
        for name in self.names():
            if fault := name.why_not(self.typed(name.field)):
                self.problem(fault)
                self.query_one(f"#{name.field}", Input).focus()
                return
        self.said_yes()


def protected_name(context: str, field: str = "context") -> tuple[Name, ...]:
    """The field of a protected context; none for ""."""
    return (Name(field, f"{context} is protected; type its name", context),) if context else ()
