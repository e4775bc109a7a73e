"""A registered secret leaves in no spelling, and ordinary words stay."""

from __future__ import annotations

import base64
import json
import re
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.core.canonical import canonical_json
from maestro_cli.core.redaction import Redactor

MARK = "«secret»"
SECRETS = st.text(st.characters(codec="utf-8"), min_size=4).filter(
    lambda s: len(s.strip()) >= 4 and s not in MARK
)
AROUND = st.text(st.characters(codec="utf-8"), max_size=5)


@given(st.lists(SECRETS, min_size=1, max_size=4), AROUND, AROUND)
def test_no_secret_is_left_in_a_text(secrets: list[str], before: str, after: str) -> None:
    cleaned = Redactor(secrets).clean(f"{before}{secrets[0]}{after}").replace(MARK, "\x00")
    assert not any(secret in cleaned for secret in secrets)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12), AROUND, AROUND)
def test_no_spelling_of_a_secret_is_left(secret: str, before: str, after: str) -> None:
    quoted = urllib.parse.quote(secret, safe="")
    spellings = (
        quoted,
        re.sub("%..", lambda match: match[0].lower(), quoted),
        urllib.parse.quote_plus(secret),
        json.dumps(secret)[1:-1],
        base64.b64encode(secret.encode()).decode(),
        base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
    )
    redactor = Redactor([secret])
    for spelling in spellings:
        assert MARK in redactor.clean(f"{before} {spelling} {after}")


@pytest.mark.parametrize("user", ["", "a", "me", "you", "admin"])
def test_a_password_inside_basic_authentication_is_found_at_every_alignment(user: str) -> None:
    secret = "correct horse battery"
    header = base64.b64encode(f"{user}:{secret}:more".encode()).decode()
    cleaned = Redactor([secret]).clean(f"Authorization: Basic {header}")
    assert MARK in cleaned
    rest = cleaned.rpartition(MARK)[2]
    assert len(rest) < 12  # the tail is what follows the secret, with a character or two of overlap


def test_each_line_of_a_key_is_a_secret() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\n-----END KEY-----"
    redactor = Redactor([key])
    assert redactor.clean("found MIIEvQIBADANBgkqhkiG in a log") == f"found {MARK} in a log"
    assert redactor.clean("-----BEGIN KEY-----") == "-----BEGIN KEY-----"


def test_a_secret_is_found_without_its_final_line_break() -> None:
    assert Redactor(["hunter22\n"]).clean("it is hunter22.") == f"it is {MARK}."


@pytest.mark.parametrize("secrets", [[], ["", "a", "on", "abc", "   "]])
def test_what_is_too_short_to_be_a_secret_blanks_nothing(secrets: list[str]) -> None:
    assert Redactor(secrets).clean("abc is on") == "abc is on"


def test_a_mark_is_never_marked_again() -> None:
    assert Redactor(["the secret", "secret"]).clean("the secret, secret") == f"{MARK}, {MARK}"


def test_the_longest_secret_is_replaced_whole() -> None:
    assert Redactor(["hunter2", "hunter2-longer"]).clean("hunter2-longer") == MARK


def test_values_and_long_secrets_in_keys_are_cleaned_and_field_names_stay() -> None:
    redactor = Redactor(["name", "hunter2!"])
    cleaned = redactor.clean_value({"name": "my name", "hunter2!": [("hunter2!", 1, None, True)]})
    assert cleaned == {"name": f"my {MARK}", MARK: [[MARK, 1, None, True]]}


def test_a_redactor_can_learn_and_the_first_one_does_not() -> None:
    first = Redactor(["first-secret"])
    both = first.with_secrets(["second-secret"])
    assert both.clean("first-secret second-secret") == f"{MARK} {MARK}"
    assert first.clean("second-secret") == "second-secret"


def test_secrets_that_are_costly_to_find_are_found_once_and_when_needed() -> None:
    asked: list[str] = []

    def find() -> list[str]:
        asked.append("once")
        return ["hunter2!"]

    redactor = Redactor(find).with_secrets(["second-one"])
    assert asked == []
    assert redactor.clean("hunter2! second-one") == f"{MARK} {MARK}"
    assert redactor.clean_value({"hunter2!": 1}) == {MARK: 1}
    assert asked == ["once"]


TEXTS = st.text(max_size=8)
VALUES = st.recursive(
    TEXTS | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.text(min_size=4, max_size=12), min_size=1, max_size=3), TEXTS, VALUES, st.data())
def test_a_json_text_that_cannot_change_holds_no_secret(
    secrets: list[str], around: str, value: object, data: st.DataObject
) -> None:
    redactor = Redactor(secrets)
    hidden = data.draw(st.sampled_from([*_spelled(secrets[0]), ""]))
    for document in ({"a": value, "b": [f"{around}{hidden}{around}"]}, {f"{around}{hidden}": value}):
        text = canonical_json(document)
        if not redactor.may_change(text):
            assert redactor.clean_value(json.loads(text)) == json.loads(text)


def _spelled(secret: str) -> list[str]:
    data = secret.encode("utf-8", "replace")
    quoted = urllib.parse.quote(secret, errors="replace")
    return [secret, json.dumps(secret)[1:-1], quoted, base64.b64encode(data).decode()]


@pytest.mark.parametrize(
    "secret", ["hunter2!", 'say "quoted"', "back\\slash", "line\nbreak", "naïve-wörd", "\x01abc"]
)
def test_a_secret_in_a_json_text_is_suspected_however_json_spells_it(secret: str) -> None:
    redactor = Redactor([secret])
    for spelling in _spelled(secret):
        assert redactor.may_change(canonical_json({"text": f"a {spelling} b"}))
    assert not redactor.may_change(canonical_json({"text": "nothing to hide"}))
    assert not Redactor().may_change(canonical_json({"text": secret}))
