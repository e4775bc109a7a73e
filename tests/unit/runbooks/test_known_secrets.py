"""What of the environment is secret: taking too little is recorded, too much refuses what is ordinary."""

from __future__ import annotations

import pytest

from maestro_cli.core.redaction import Redactor
from maestro_cli.runbooks.parameters import knowing

SECRET = "k3-Zq-8841-vu"


@pytest.mark.parametrize(
    "name",
    ["API_TOKEN", "DB_PASSWORD", "DB_DSN", "SSH_PASSPHRASE", "DB_PASS", "SIGNING_KEY", "AWS_ACCESS_KEY_ID"],
)
def test_the_value_of_a_variable_that_sounds_secret_is_not_shown(name: str) -> None:
    assert SECRET not in knowing(Redactor(), {name: SECRET}).clean(f"it is {SECRET}!")


@pytest.mark.parametrize("url", ["postgres://app:pa%2Bss-9@db/shop", "http://app:pa%2Bss-9@proxy:3128"])
def test_a_url_with_a_password_is_not_shown_whatever_its_name_nor_is_the_password_alone(url: str) -> None:
    cleaned = knowing(Redactor(), {"DATABASE": url}).clean(f"{url} pa%2Bss-9 pa+ss-9")
    assert "ss-9" not in cleaned


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASS", "postgres"),
        ("DB_PASS", "true"),
        ("MAX_TOKENS", "1000"),
        ("SSH_ASKPASS", "/usr/bin/ksshaskpass"),
        ("TOKEN_FILE", "/run/secrets/token"),
        ("KEYBOARD", "us-international"),
        ("DATABASE", "postgres://app:postgres@db/shop"),
    ],
)
def test_an_ordinary_value_is_no_secret(name: str, value: str) -> None:
    text = "postgres true 1000 /usr/bin/ksshaskpass /run/secrets/token us-international"
    assert knowing(Redactor(), {name: value}).clean(text) == text
