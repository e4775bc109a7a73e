"""Words of commands are shown without their secrets, and else as they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.core.secret_words import HIDDEN, hide_word, hide_words, looks_secret, sounds_secret


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("--password=hunter2", "--password=H"),
        ("--token hunter2 --level info", "--token H --level info"),
        ("-token hunter2", "-token H"),
        ("API_KEY=hunter2 LEVEL=info", "API_KEY=H LEVEL=info"),
        ("--token --verbose", "--token --verbose"),
        ("--serve=token-model", "--serve=token-model"),
        ("serve fraud=1 --port 8080", "serve fraud=1 --port 8080"),
        ("postgres://ada:hunter2@db/x", "H"),
    ],
)
def test_the_value_of_a_secret_is_hidden(words: str, shown: str) -> None:
    assert " ".join(hide_words(words.split())) == shown.replace("H", HIDDEN)


@pytest.mark.parametrize(
    "name",
    ["DB_PASS", "pass", "PASSPHRASE", "AWS_ACCESS_KEY_ID", "SIGNING_KEY", "encryption-key", "Authorization"],
)
def test_a_name_of_what_opens_something_sounds_secret(name: str) -> None:
    assert sounds_secret(name)


@pytest.mark.parametrize("name", ["BYPASS", "PASSTHROUGH", "COMPASS", "CACHE_KEY_PREFIX", "LEVEL"])
def test_a_name_that_only_has_letters_in_common_does_not(name: str) -> None:
    assert not sounds_secret(name)


@pytest.mark.parametrize(
    "value",
    [
        "Bearer abcdef123456",
        "basic dXNlcjpwYXNzd29yZA==",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "github_pat_11ABCDEFG0abcdefghijkl_mnop",
        "glpat-abcdefghij0123456789",
        "xoxb-1234567890-abcdef",
        "https://hooks.slack.com/services/T000/B000/XXXX",
        "sk-proj-abcdefghijklmnopqrst0123",
        "hf_abcdefghijklmnopqrstuvwxyz",
    ],
)
def test_what_services_give_out_looks_secret_whatever_its_name(value: str) -> None:
    assert looks_secret(value)
    assert looks_secret(f"see {value}, please")


@pytest.mark.parametrize(
    "value", ["Bearer of news", "basic training", "sk-learn", "risk-of-fraud-management"]
)
def test_words_do_not(value: str) -> None:
    assert not looks_secret(value)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("app --db-password=hunter2 --level=info; ls", "app --db-password=H --level=info; ls"),
        ("env API_TOKEN='a b' app --secret \"x y\" && ls", "env API_TOKEN=H app --secret H && ls"),
        ("app --token-file --verbose; cat token", "app --token-file --verbose; cat token"),
        ("curl http://a/secret", "curl http://a/secret"),
    ],
)
def test_inside_a_line_for_a_shell_as_well(line: str, shown: str) -> None:
    assert hide_word(line) == shown.replace("H", HIDDEN)


def test_a_long_word_is_cut() -> None:
    assert len(hide_word("token" * 1_000_000)) < 10_000


@given(st.text(), st.text(alphabet="abcdef0123456789", min_size=8))
def test_no_secret_gets_through_whatever_is_around_it(text: str, secret: str) -> None:
    for words in ((text, f"--password={secret}"), ("--password", secret), (f"x; app --api-key={secret}",)):
        assert secret not in hide_words(words)[-1]
