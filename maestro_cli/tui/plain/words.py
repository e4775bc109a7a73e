"""What each line of the session does: its own words, else what the command line of the console knows.

Invariant: a word only calls what a key of the full screen could have called; what is not understood is
refused, with what was likely meant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from maestro_cli.core.errors import UsageError
from maestro_cli.tui.keys.commands import VERBS, Go, names_in, parse_line
from maestro_cli.tui.keys.export import session_markdown, write_new
from maestro_cli.tui.screens.table import every_screen
from maestro_cli.tui.store.events import ContextArmed

if TYPE_CHECKING:
    from maestro_cli.tui.plain.session import Session

LONGEST_MINUTES = 60


@dataclass(frozen=True, slots=True)
class Word:
    """`usage` begins with the word itself."""

    usage: str
    help: str
    do: Callable[[Session, str], None]

    @property
    def name(self) -> str:
        return self.usage.split()[0]


def take(session: Session, line: str) -> None:
    """Do what a line says. Raises UsageError, and what a backend raises."""
    if line.startswith(("/", "!")):
        session.filter(line.removeprefix("/").strip())
        return
    if line.startswith(":"):
        _command(session, line)
        return
    name, _, rest = line.partition(" ")
    word = next((one for one in WORDS if one.name == name.lower()), None)
    if word is not None:
        word.do(session, rest.strip())
    elif name.isdecimal():
        session.choose(line.split())
    else:
        _command(session, line)


def _command(session: Session, line: str) -> None:
    try:
        command = parse_line(line, session.known)
    except UsageError as unknown:
        if line.startswith(":") or " " in line or not session.page.rows:
            raise
        try:
            session.choose([line])  # no word of the command line: the name of a row
        except UsageError as error:
            raise unknown if "may be" not in error.what else error from error
        return
    if isinstance(command, Go):
        session.go(command.place)
    elif command is not None:
        VERB_DOES.get(command.verb, _not_here)(session, command.argument)


def _not_here(session: Session, argument: str) -> None:
    raise UsageError("this has no sense without a screen", fix="help tells of every word")


def _open(session: Session, rest: str) -> None:
    session.open(rest.split())


def _actions(session: Session, rest: str) -> None:
    session.tell_actions()


def _do(session: Session, rest: str) -> None:
    name, *rows = rest.split() or [""]
    if not name:
        raise UsageError("do needs an action", fix="actions tells of each")
    session.do(name, rows)


def _refresh(session: Session, rest: str) -> None:
    session.behind.feeds.hurry()
    session.show()


def _back(session: Session, rest: str) -> None:
    session.back()


def _quit(session: Session, rest: str) -> None:
    session.talk.is_over = True


def _help(session: Session, rest: str) -> None:
    say = session.talk.say
    say("A number, or a name, chooses a row. /TEXT filters, / alone shows all.")
    for word in WORDS:
        say(f"{word.usage}: {word.help}")
    for verb in VERBS:
        if verb.name in VERB_DOES:
            say(f"{verb.usage.removeprefix(':')}: {verb.help}")
    for screen in every_screen().values():
        say(f"{screen.id}: {screen.help}")


def _contexts(session: Session, argument: str) -> None:
    names, scope = names_in(argument), session.behind.store.snapshot.scope
    is_known = names[0] in scope.contexts
    namespace = scope.namespace if is_known else session.behind.own_namespace(names[0])
    session.rescope(replace(scope, contexts=names, namespace=namespace, incident="", since=None))


def _namespace(session: Session, argument: str) -> None:
    scope = session.behind.store.snapshot.scope
    refused = "" if argument == "all" else session.behind.why_no_namespace(argument, scope.contexts)
    if refused:
        raise UsageError(refused, fix="ns all")
    session.rescope(replace(scope, namespace="" if argument == "all" else argument))


def _write(session: Session, argument: str) -> None:
    """Arm, after a yes; the name of a protected context is typed."""
    context, minutes = session.chosen_context, int(argument or "10")
    if not 1 <= minutes <= LONGEST_MINUTES:
        raise UsageError(f"1 to {LONGEST_MINUTES} minutes", fix="write 10")
    if refused := session.behind.why_not_armed(context):
        raise UsageError(refused)
    question = f"Allow changes in {context} for {minutes} minutes?"
    if session.is_protected(context):
        said = session.talk.read(f"{question} {context} is protected; type its name, empty for no: ")
        agreed = said == context
    else:
        agreed = (session.talk.read(f"{question} [y/N] ") or "").lower() in ("y", "yes")
    if agreed:
        until = session.now() + timedelta(minutes=minutes)
        session.behind.store.dispatch(ContextArmed(context, until))
    session.talk.say(f"{context} is armed" if agreed else f"{context} is read-only, as before")


def _read(session: Session, argument: str) -> None:
    session.disarm(tuple(session.behind.store.snapshot.armed))
    session.talk.say("read-only")


def _at(session: Session, argument: str) -> None:
    _go_to(session, argument, "at", is_compared=False)


def _diff(session: Session, argument: str) -> None:
    _go_to(session, argument, "diff", is_compared=True)


def _go_to(session: Session, argument: str, verb: str, *, is_compared: bool) -> None:
    from maestro_cli.tui.rewind.recorder import read_instant

    try:
        at = read_instant(argument, session.now())
    except ValueError as error:
        raise UsageError(
            f"{argument!r} is no time", why=str(error), fix=f"{verb} 14:05, or {verb} 10m"
        ) from error
    session.behind.recorder.go_to(at, is_compared=is_compared)
    session.show()


def _live(session: Session, argument: str) -> None:
    session.behind.recorder.resume()
    session.show()


def _done(session: Session, argument: str) -> None:
    log = session.behind.store.snapshot.log
    for one in log:
        session.talk.say(f"{one.at.astimezone():%H:%M:%S %Z} {one.line}: {one.outcome}")
    if not log:
        session.talk.say("nothing was done yet")


def _export(session: Session, argument: str) -> None:
    now = session.now()
    behind = session.behind
    text = session_markdown(behind.store.snapshot, session.trail.places, now, behind.cluster_options)
    path = write_new(argument, f"maestro-session-{now.astimezone():%Y%m%d-%H%M%S}.md", text)
    session.talk.say(f"written: {path}")


VERB_DOES: Mapping[str, Callable[[Session, str], None]] = {
    "ctx": _contexts,
    "ns": _namespace,
    "write": _write,
    "read": _read,
    "at": _at,
    "diff": _diff,
    "live": _live,
    "back": _back,
    "done": _done,
    "keys": _help,
    "export": _export,
    "quit": _quit,
}
WORDS: tuple[Word, ...] = (
    Word("open [ROW]", "What Enter opens: of the row that is chosen, or of a number or name.", _open),
    Word("actions", "What can be done with what is chosen.", _actions),
    Word("do ACTION [ROW]...", "Do it to what is chosen, or to these rows; asks before it changes.", _do),
    Word("refresh", "Read everything again.", _refresh),
    Word("back", "Take the filter away, else to the place before.", _back),
    Word("help", "This.", _help),
    Word("quit", "Leave the console.", _quit),
)
