"""What is typed after `:`, as data.

`:pods`, `:po ml`, `:pods /fraud`, `:pods app=fraud`, `:pods @staging`: a screen by its id or an alias, and in
any order what it is about, a context and labels; from `/`, `!`, `-l` or `-f` on, the rest is its filter. Or a
verb: `:ns ml`, `:ctx a,b`, `:write 10`, `:q`. Invariant: pure; nothing is guessed, a name that there is not
is refused with the one that was likely meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from maestro_cli.config.explanation import suggestion
from maestro_cli.core.errors import UsageError
from maestro_cli.tui.notices import WAYS
from maestro_cli.tui.screens.model import Place
from maestro_cli.tui.views.filtering import parse_filter

MOST_DIGITS = 9  # of a number of minutes
FILTER_SIGNS = ("/", "!", "-l", "-f")


@dataclass(frozen=True, slots=True)
class Verb:
    """Something to type that is no screen. `takes`: what its argument is; "" for none. `needs`: whether it
    must be given."""

    name: str
    help: str
    takes: str = ""
    aliases: tuple[str, ...] = ()
    needs: bool = False

    @property
    def usage(self) -> str:
        word = self.takes.upper()
        return f":{self.name}" + (f" {word}" if self.needs else f" [{word}]" if word else "")


VERBS: tuple[Verb, ...] = (
    Verb("ctx", "Show these contexts, with commas between, in place of those of now.", "context",
         ("context", "contexts"), needs=True),
    Verb("side", "Show contexts side by side, each in a pane; alone: those of now so, or in one list again.",
         "context", ("beside", "split")),
    Verb("ns", "Show one namespace, or all.", "namespace", ("namespace",), needs=True),
    Verb("write", "Arm the context for some minutes (asks).", "minutes", ("arm",)),
    Verb("read", "Disarm the context: read-only again.", aliases=("disarm", "ro")),
    Verb("at", "Show what was known at a time: 14:05, 14:05:10 or 10m ago.", "time", ("goto", "g"),
         needs=True),
    Verb("diff", "Compare what was known at a time with now: rows and lines that differ.", "time",
         ("compare",), needs=True),
    Verb("live", "Show what is known now again."),
    Verb("back", "To the place before."),
    Verb("answer", "Open what came while you were elsewhere."),
    Verb("done", "Show or hide the log of what was done.", aliases=("commands",)),
    Verb("theme", "Other colours.", "theme", ("skin",), needs=True),
    Verb("notify", "How news ring: auto, off, bell, or on the desktop by osc9, osc99 or osc777.", "way"),
    Verb("keys", "Every key that works here.", aliases=("help", "h", "?")),
    Verb("tour", "The tour of the first start again."),
    Verb("export", "Write this session as Markdown to a new file; with ! over an old one.", "path"),
    Verb("screenshot", "Write a picture of the screen (SVG).", "path", ("picture",)),
    Verb("quit", "Leave the console.", aliases=("q", "q!", "qa", "exit")),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """What can be named. `screens` is the id of each id and alias; `namespaces` are those that were seen."""

    screens: Mapping[str, str]
    contexts: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()

    def of(self, kind: str) -> tuple[str, ...]:
        """What can stand for an argument of that kind."""
        if kind == "namespace":
            return ("all", *self.namespaces)
        return {"context": self.contexts, "theme": self.themes, "way": WAYS}.get(kind, ())


@dataclass(frozen=True, slots=True)
class Go:
    """Show a place."""

    place: Place


@dataclass(frozen=True, slots=True)
class Do:
    """A verb, by its name."""

    verb: str
    argument: str = ""


def parse_line(typed: str, known: Known) -> Go | Do | None:
    """What a line asks for; None for an empty one. Raises UsageError."""
    text = typed.strip().removeprefix(":").strip()
    if not text:
        return None
    name, _, rest = text.partition(" ")
    name, rest = name.lower(), rest.strip()
    if name in known.screens:
        return Go(_place(known.screens[name], rest, known))
    verb = next((one for one in VERBS if name == one.name or name in one.aliases), None)
    if verb is not None:
        return Do(verb.name, _argument(verb, rest, known))
    names = {*known.screens, *(alias for one in VERBS for alias in (one.name, *one.aliases))}
    near = suggestion(name, names)
    why = near if not near.startswith("known") else f"screens: {', '.join(sorted({*known.screens.values()}))}"
    raise UsageError(f"there is no {name[:60]!r} here", why=why, fix="Tab completes, ? tells of every key")


def _argument(verb: Verb, rest: str, known: Known) -> str:
    if rest and not verb.takes:
        raise UsageError(f":{verb.name} takes nothing", why=f"{rest[:60]!r} was given", fix=verb.usage)
    if verb.needs and not rest:
        raise UsageError(f":{verb.name} needs a {verb.takes}", why="none was given", fix=verb.usage)
    if verb.takes in ("context", "theme", "way"):
        for name in names_in(rest):
            if name not in known.of(verb.takes):
                raise UsageError(
                    f"there is no {verb.takes} {name[:60]!r}", why=suggestion(name, known.of(verb.takes))
                )
    is_number = rest.isascii() and rest.isdecimal() and len(rest) <= MOST_DIGITS
    if verb.takes == "minutes" and rest and not is_number:
        raise UsageError(f"{rest[:60]!r} is no number of minutes", fix=":write 10")
    return rest


def names_in(text: str) -> tuple[str, ...]:
    """Names with commas or blanks between, each once."""
    return tuple(dict.fromkeys(text.replace(",", " ").split()))


def _place(screen: str, rest: str, known: Known) -> Place:
    """A screen with what stands behind its name."""
    argument, context, labels, filter_text = "", "", list[str](), ""
    while rest:
        if rest.startswith(FILTER_SIGNS):
            filter_text, rest = rest.removeprefix("/").strip(), ""
            continue
        word, _, rest = rest.partition(" ")
        rest = rest.strip()
        if word.startswith("@"):
            context = word[1:]
            if context not in known.contexts:
                raise UsageError(
                    f"there is no context {context[:60]!r}", why=suggestion(context, known.contexts)
                )
        elif "=" in word:
            labels.append(word)
        elif argument:
            raise UsageError(f"{word[:60]!r} is one word too many", fix=f":{screen} {argument}")
        else:
            argument = word
    if labels and filter_text:
        raise UsageError("labels and a filter cannot be used together", fix=f":{screen} {labels[0]}")
    text = f"-l {','.join(labels)}" if labels else filter_text
    parse_filter(text)
    return Place(screen, argument, context, text)


def completions(typed: str, known: Known) -> tuple[str, ...]:
    """Whole lines that what is typed may become, the likely ones first."""
    text = typed.lstrip().removeprefix(":").lstrip()
    name, blank, rest = text.partition(" ")
    if not blank:
        return _names(name.lower(), known)
    before, _, last = rest.rpartition(" ")
    head = f"{name} {before} " if before else f"{name} "
    verb = next((one for one in VERBS if name == one.name or name in one.aliases), None)
    if verb is not None:
        done, _, part = last.rpartition(",") if verb.takes == "context" else ("", "", last)
        head += f"{done}," if done else ""
        return tuple(f"{head}{one}" for one in _starting(part, known.of(verb.takes)))
    if name in known.screens and last.startswith("@"):
        return tuple(f"{head}@{one}" for one in _starting(last[1:], known.contexts))
    if name in known.screens and not before:
        return tuple(f"{head}{one}" for one in _starting(last, known.namespaces))
    return ()


def _names(part: str, known: Known) -> tuple[str, ...]:
    """Ids and verbs; aliases where none of those begins so."""
    ids = dict.fromkeys((*known.screens.values(), *(one.name for one in VERBS)))
    aliases = (*known.screens, *(alias for one in VERBS for alias in one.aliases))
    return _starting(part, ids) or _starting(part, aliases)


def _starting(part: str, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(one for one in names if one.lower().startswith(part.lower()))


def common_start(lines: Sequence[str]) -> str:
    """What all lines begin with."""
    if not lines:
        return ""
    low, high = min(lines), max(lines)
    same = next((at for at, one in enumerate(low) if at >= len(high) or one != high[at]), len(low))
    return low[:same]
