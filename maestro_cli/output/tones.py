"""The tones that words of the field are shown in, and which words are urgent, in commands and in the console.

Invariant: a word has one tone wherever it stands; what is not known is never shown as good. By the words
themselves, so that nothing of a room is imported for them.
"""

from __future__ import annotations

GRAVE = ("sev1", "sev2")  # severities that wake people

# Runs that somebody has to go on with, the most urgent first; a person stopped those that are cancelled.
LEFT_RUNS = ("interrupted", "unknown", "waiting", "paused")
RESUMABLE_RUNS = (*LEFT_RUNS, "cancelled")
OPEN_RUNS = ("running", *RESUMABLE_RUNS)

HEALTH_TONES = {"good": "good", "warn": "warn", "bad": "bad", "done": "dim"}
# By the word of each BurnState, the worst first.
BURN_TONES = {"critical": "bad", "increasing": "warn", "recovering": "warn", "no data": "warn", "ok": "good"}


def verdict_tone(word: str | None) -> str:
    """Of PASS, FAIL, and of INDETERMINATE and whatever else is no answer."""
    return {"PASS": "good", "FAIL": "bad"}.get(word or "", "warn")


def severity_tone(severity: str) -> str:
    """Of an incident that is open."""
    return "bad" if severity in GRAVE else "warn"
