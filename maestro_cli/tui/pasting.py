"""What was typed apart from what was pasted, in what a terminal sends.

Invariant: nothing that is pasted is ever a key, whatever it holds. A terminal says where a paste begins and
ends (`ESC [ 200 ~`, `ESC [ 201 ~`, xterm's bracketed paste), and some let through an escape or such an end
within it: what comes in the same breath behind an end is typed only once nothing more comes, and pasted
where another end follows. A mark may come in two parts, however far apart, and a paste go on after nothing
had come of it for so long that it was given on. What is held back meanwhile is never
lost, but what a paste has beyond a megabyte.
"""

from __future__ import annotations

from dataclasses import dataclass

BEGIN, END = "\x1b[200~", "\x1b[201~"
MOST_CHARACTERS = 1 << 20  # of one paste; what is beyond has no use in a console, and is cut
ESCAPE = "\x1b"
_TYPED = len("\x1b[")  # of a mark somebody may have pressed: escape, or alt and a bracket


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of what came, in its order."""

    text: str
    is_pasted: bool = False


class Pastes:
    """Of one terminal; `rest` is asked once nothing has come for a moment."""

    def __init__(self) -> None:
        self._held = ""  # the beginning of a mark, maybe
        self._pasted: str | None = None  # since the beginning of a paste
        self._behind: str | None = None  # since its end, in one breath with it
        self._given = ""  # of a mark that begins, as keys, since nothing more had come
        self._is_cut = False  # the last paste was given on without its end

    @property
    def is_waiting(self) -> bool:
        """Whether something is held back."""
        return bool(self._held) or self.is_in_paste

    @property
    def is_open(self) -> bool:
        """Whether a paste has begun whose end has yet to come."""
        return self._pasted is not None and self._behind is None

    @property
    def is_in_paste(self) -> bool:
        """Whether there is a paste that is not given on yet."""
        return self._pasted is not None

    @property
    def is_begun(self) -> bool:
        """Whether more of a mark has come than somebody types: its rest is under way."""
        return not self.is_in_paste and len(self._held) > _TYPED

    def fed(self, text: str) -> list[Piece]:
        """What was typed for certain."""
        if self._pasted is None and self._is_cut:  # its rest, where its end comes in the same breath
            self._pasted = self._behind = ""
        if self._pasted is not None:
            self._go_on(text)
            return []
        given, self._given = self._given, ""
        if given and (given + text).startswith(BEGIN):
            text = given + text
        before, begin, after = (self._held + text).partition(BEGIN)
        self._held = ""
        if begin:
            self._pasted = ""
            self._go_on(after)
        else:
            self._held = _beginning(before, BEGIN)
            before = before.removesuffix(self._held)
        return [Piece(before)] if before else []

    def _go_on(self, text: str) -> None:
        """Within a paste, or right behind one: what is before an end was pasted."""
        self._is_cut = False
        whole = self._held + (self._behind or "") + text
        self._held = ""
        inner, end, behind = whole.rpartition(END)
        if end:
            self._keep(inner)
            self._behind = behind
        elif self._behind is None:
            self._held = _beginning(whole, END)
            self._keep(whole.removesuffix(self._held))
        elif len(whole) > MOST_CHARACTERS:  # nobody types like that
            self._keep(whole)
            self._behind = ""
        else:
            self._behind = whole

    def _keep(self, text: str) -> None:
        assert self._pasted is not None
        self._pasted = (self._pasted + text.replace(BEGIN, "").replace(END, ""))[:MOST_CHARACTERS]

    def rest(self) -> list[Piece]:
        """All that was held back, now that nothing more has come; of a paste also what its end is missing of.

        A paste that has begun in one breath behind another is one with it, and goes on.
        """
        pasted, behind, held = self._pasted, self._behind, self._held
        if pasted is None:
            self._held, self._given = "", held or self._given
            return [Piece(held)] if held else []
        if behind is not None and BEGIN in behind:
            self._behind = None
            self._keep(behind)
            return []
        self._keep(held)
        pieces = [Piece(self._pasted or "", is_pasted=True), Piece(behind or "")]
        self._held, self._pasted, self._behind = "", None, None
        self._is_cut = behind is None
        return [one for one in pieces if one.text]


def _beginning(text: str, mark: str) -> str:
    """The longest end of the text that a mark may begin with."""
    return next((mark[:size] for size in range(len(mark) - 1, 0, -1) if text.endswith(mark[:size])), "")


def tamed(message: str) -> str:
    """What a browser's terminal sends at once, a paste in it without any escape: Textual reads it there."""
    before, begin, rest = message.partition(BEGIN)
    if not begin:
        return message
    inner, end, behind = rest.rpartition(END)
    if not end:
        inner, behind = rest, ""
    return f"{before}{BEGIN}{inner.replace(ESCAPE, '')}{END}{behind}"
