"""The keys that work everywhere in the console. Invariant: each has an id and says what it does."""

from __future__ import annotations

from textual.binding import Binding

DIGITS = "123456789"
ANSWER_KEYS = "f2"
ARM_KEYS = "W"
QUIT_KEYS = "ctrl+q"
ABORT_KEYS = "f8"


def _key(
    keys: str, action: str, name: str, title: str, tooltip: str, *, show: bool = False, first: bool = False
) -> Binding:
    """`first`: before whatever has the focus, and in dialogs too."""
    return Binding(keys, action, title, show=show, priority=first, id=f"console.{name}", tooltip=tooltip)


APP_BINDINGS: tuple[Binding, ...] = (
    _key("question_mark,f1", "keys", "help", "Help", "Every key that works here.", show=True),
    _key(
        "colon", "command_line", "command", "Command", "Type where to go or what to set: :pods, :ns ml.",
        show=True, first=True,
    ),
    _key("slash", "filter", "filter", "Filter",
         "Show only what matches: text, !text, -l a=b, -f text, @context.", show=True, first=True),
    _key("escape", "leave", "back", "Back", "Take marks or the filter away, else to the place before."),
    _key("minus", "last", "last", "Last place", "To the place where you were before this one, and back."),
    _key("0", "namespaces", "namespaces", "Namespaces", "All namespaces, or back to the one of before."),
    *(
        _key(digit, f"favourite('{digit}')", f"favourite-{digit}", f"Favourite {digit}",
             "The screen that has this digit, or what keys.yaml pinned to it.")
        for digit in DIGITS
    ),
    _key(ARM_KEYS, "arm", "arm", "Arm", "Allow changes in this context for minutes; again ends it.",
         show=True),
    _key("ctrl+r", "hurry", "hurry", "Read now", "Read again; what is watched tells by itself."),
    _key("left_square_bracket", "rewind(False)", "rewind", "Rewind", "What was known before."),
    _key("right_square_bracket", "rewind(True)", "forward", "Forward", "What was known next, up to now."),
    _key("vertical_line", "side", "side", "Side by side", "Each context in a pane, or all in one list."),
    _key("equals_sign", "compare", "compare", "Compare", "While the past is shown: what differs now."),
    _key(ANSWER_KEYS, "answer", "answer", "Answer", "Open what came while you were elsewhere."),
    _key(ABORT_KEYS, "abort_experiments", "abort", "Abort experiments",
         "End the experiment under way in a context that is shown, on any screen: its faults are taken back.",
         first=True),
    _key("ctrl+p", "command_palette", "palette", "Palette", "Find a screen, action, theme or context.",
         show=True),
    _key("ctrl+t", "log", "log", "Commands done", "The log of everything done here, as commands."),
    _key(QUIT_KEYS, "quit", "quit", "Quit", "Leave the console; asks while an action runs.", show=True,
         first=True),
    _key("ctrl+z", "to_shell", "suspend", "To the shell", "Stop it and go to the shell; fg comes back.",
         first=True),
    _key("ctrl+c", "copy_selected", "copy", "Copy", "Copy what is selected with the mouse; it never quits.",
         first=True),
)  # fmt: skip
