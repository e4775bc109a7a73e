"""What people record of an incident, by key.

Invariant: each is the use case of the command of that name, and its line is that command.
"""

from __future__ import annotations

from collections.abc import Callable

from maestro_cli.tui.acting.model import Action, Answers, Ask, Danger, Target
from maestro_cli.tui.screens import incident_records as records

SEVERITIES = ("sev1", "sev2", "sev3", "sev4")
ROLES = ("commander", "ops", "scribe", "liaison")
LINKS = ("related", "caused-by", "duplicate")
AUDIENCES = ("internal", "public")
YES_NO = ("yes", "no")


def _command(*words: str, options: tuple[str, ...] = ()) -> Callable[[Target, Answers], tuple[str, ...]]:
    """`maestro incident WORD… NUMBER VALUE… --OPTION VALUE…`: of words, `{x}` is an answer; an option whose
    answer is empty is left out."""

    def line(target: Target, answers: Answers) -> tuple[str, ...]:
        number = target.name.removeprefix("#")
        said = [answers[word[1:-1]] if word.startswith("{") else word for word in words]
        said = [number if word == "NUMBER" else word for word in said]
        given = [part for one in options if answers[one] for part in (f"--{one}", answers[one])]
        return ("incident", *said, *given)

    return line


def _flagged(
    base: Callable[[Target, Answers], tuple[str, ...]], name: str, flag: str
) -> Callable[[Target, Answers], tuple[str, ...]]:
    """The same with a flag where the answer to `name` is yes."""
    return lambda target, answers: (*base(target, answers), *((flag,) if answers[name] == "yes" else ()))


def _still_fires(target: Target) -> bool:
    """As it was shown; what began to fire since, the resolving itself finds."""
    incident = getattr(target.item, "incident", target.item)
    return bool(getattr(incident, "firing", True))


def _assign_line(target: Target, answers: Answers) -> tuple[str, ...]:
    owner = answers["owner"]
    how = ("--nobody",) if owner == "nobody" else ("--to", owner)
    return ("incident", "assign", target.name.removeprefix("#"), *how)


def _role_line(target: Target, answers: Answers) -> tuple[str, ...]:
    who = (answers["person"],) if answers["person"] else ("--clear",)
    return ("incident", "role", target.name.removeprefix("#"), answers["role"], *who)


def _publish_line(target: Target, answers: Answers) -> tuple[str, ...]:
    reason = ("--force", "--reason", answers["reason"]) if answers["reason"] else ()
    path = ("--to", answers["path"]) if answers["path"] else ()
    return ("incident", "postmortem", target.name.removeprefix("#"), "--publish", *path, *reason)


def _write_line(target: Target, answers: Answers) -> tuple[str, ...]:
    path = ("--to", answers["path"]) if answers["path"] else ()
    return ("incident", "postmortem", target.name.removeprefix("#"), *path)


_REASON = Ask("reason", "why", is_needed=False)
_WHY = Ask("reason", "why")

ACTIONS: tuple[Action, ...] = (
    Action(
        "incident.ack", "Acknowledge", "Say that you look after it.", Danger.RECORD,
        _command("ack", "NUMBER"), key="a", is_bulk=True, records=records.acknowledge,
    ),
    Action(
        "incident.triage", "Triage", "Collect evidence and rank suspects again.", Danger.RECORD,
        _command("triage", "NUMBER"), key="T", records=records.triage,
    ),
    Action(
        "incident.assign", "Owner", "Give it an owner: a name, me or nobody.", Danger.RECORD,
        _assign_line, key="o", asks=(Ask("owner", "who owns it: a name, me or nobody", lambda _: "me"),),
        is_bulk=True, records=records.assign,
    ),
    Action(
        "incident.role", "Role", "Give a role to a person, or take it.", Danger.RECORD,
        _role_line, key="h",
        asks=(
            Ask("role", "which role", lambda _: "commander", ROLES),
            Ask("person", "who has it from now on: a name or me; empty for nobody", lambda _: "me",
                is_needed=False),
        ),
        records=records.set_role,
    ),
    Action(
        "incident.severity", "Severity", "Raise or lower the severity.", Danger.RECORD,
        _command("severity", "NUMBER", "{severity}", options=("reason",)), key="s",
        asks=(
            Ask("severity", "how grave", lambda target: str(target.item.severity), SEVERITIES),
            Ask("reason", "why (needed to lower it)", is_needed=False),
        ),
        records=records.set_severity,
    ),
    Action(
        "incident.note", "Note", "Put a note on the timeline.", Danger.RECORD,
        _command("note", "NUMBER", "{text}"), key="i", asks=(Ask("text", "what to note"),),
        is_bulk=True, records=records.note,
    ),
    Action(
        "incident.update", "Tell", "Tell how it stands, and set the clock to the next time.", Danger.RECORD,
        _command("update", "NUMBER", "{conditions}", options=("actions", "needs", "status")), key="u",
        asks=(
            Ask("conditions", "how it stands"),
            Ask("actions", "what is being done", is_needed=False),
            Ask("needs", "what is needed, and of whom", is_needed=False),
            Ask("status", "whom it is for", lambda _: "internal", AUDIENCES),
        ),
        records=records.tell,
    ),
    Action(
        "incident.task", "Task", "Add a task, or an action item for afterwards.", Danger.RECORD,
        _flagged(_command("task", "add", "NUMBER", "{text}", options=("owner", "due")), "later", "--action"),
        key="t",
        asks=(
            Ask("text", "what is to be done"),
            Ask("owner", "who does it: a name or me; empty for nobody", is_needed=False),
            Ask("due", "by when: 3d, 2026-12-01; empty for no time", is_needed=False),
            Ask("later", "an action item, for after the incident", lambda _: "no", YES_NO),
        ),
        records=records.add_task,
    ),
    Action(
        "incident.link", "Link", "Link it with another incident or a page.", Danger.RECORD,
        _command("link", "NUMBER", "{with}", options=("kind", "note")), key="L",
        asks=(
            Ask("with", "with which incident, or the address of a page"),
            Ask("kind", "what that is to this one", lambda _: "related", LINKS),
            Ask("note", "why", is_needed=False),
        ),
        records=records.link,
    ),
    Action(
        "incident.merge", "Merge", "Merge it into another open incident, which survives.", Danger.RECORD,
        _command("merge", "NUMBER", "{into}", options=("reason",)), key="M",
        asks=(Ask("into", "into which open incident"), _REASON), records=records.merge,
    ),
    Action(
        "incident.mitigate", "Mitigated", "Say what mitigated it; from now on it is only watched.",
        Danger.RECORD, _command("mitigate", "NUMBER", "{how}"), key="m",
        asks=(Ask("how", "what mitigated it"),), records=records.mitigate,
    ),
    Action(
        "incident.resolve", "Resolve", "Resolve it once nothing fires any more.", Danger.RECORD,
        _flagged(_command("resolve", "NUMBER", options=("reason",)), "force", "--force"), key="R",
        asks=(
            Ask("force", "it still fires; resolve it all the same", lambda _: "no", YES_NO,
                is_asked=_still_fires),
            Ask("reason", "why (needed to force it)", is_needed=False),
        ),
        performs=records.resolve,
    ),
    Action(
        "incident.reopen", "Reopen", "Take it back into triage.", Danger.RECORD,
        _command("reopen", "NUMBER", options=("reason",)), key="O", asks=(_WHY,), records=records.reopen,
    ),
    Action(
        "incident.dismiss", "Dismiss", "Close it as a false alarm.", Danger.RECORD,
        _command("dismiss", "NUMBER", options=("reason",)), key="D", asks=(_WHY,), performs=records.dismiss,
    ),
    Action(
        "incident.close", "Close", "Close it for good once it is resolved.", Danger.RECORD,
        _command("close", "NUMBER", options=("reason",)), key="C", asks=(_REASON,), records=records.close,
    ),
    Action(
        "incident.postmortem", "Post-mortem", "Write the post-mortem from the journal.", Danger.RECORD,
        _write_line, key="P",
        asks=(Ask("path", "the file; empty for the state folder", is_needed=False),),
        records=records.write_postmortem,
    ),
    Action(
        "incident.publish", "Publish", "Record that the post-mortem is out.", Danger.RECORD,
        _publish_line, key="B",
        asks=(
            Ask("path", "the file; empty for where it was written", is_needed=False),
            Ask("reason", "why, although places wait for people; empty to refuse then", is_needed=False),
        ),
        records=records.publish_postmortem,
    ),
)  # fmt: skip
