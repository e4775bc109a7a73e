"""A value stands for itself, or is refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.core.errors import UsageError
from maestro_cli.runbooks.substitution import into_name, into_promql, names_in_promql


def test_values_go_into_strings_windows_and_names() -> None:
    query = 'rate($METRIC{a="$V",b="x-${V}-y",c=~"$V|z$"}[$W]) # $NOTHING'
    filled = into_promql(query, {"METRIC": "up", "V": "a.b", "W": "5m"})
    assert filled == 'rate(up{a="a.b",b="x-a.b-y",c=~"a\\\\.b|z$"}[5m]) # $NOTHING'


def test_two_dollars_are_one() -> None:
    assert into_promql('up{a=~"x$$Y"}', {}) == 'up{a=~"x$Y"}'


@pytest.mark.parametrize("value", ["5m] or vector(1", "1 or up", '"', "", "a b", "#", "up{}", "-1"])
def test_code_outside_strings_is_refused(value: str) -> None:
    with pytest.raises(UsageError):
        into_promql("rate(x[$W])", {"W": value})


def test_an_unknown_variable_is_an_error() -> None:
    with pytest.raises(UsageError, match="NAME has no value"):
        into_promql('up{a="$NAME"}', {})


def test_comments_name_nothing() -> None:
    assert names_in_promql('up{a="# $A"} # $B\n+ $C') == {"A", "C"}


@pytest.mark.parametrize("value", ["a/b", "../x", "a b", "-x", "x\n", "$X", "ml/deploy/other"])
def test_a_name_cannot_aim_elsewhere(value: str) -> None:
    with pytest.raises(UsageError):
        into_name("deploy/$D", {"D": value})


def _literal(query: str, quote: str) -> str:
    """What Prometheus reads between the quotes of `up{a=…}`, or an error when the string ends early."""
    body = query.removeprefix(f"up{{a={quote}").removesuffix(f"{quote}}}")
    assert not re.search(rf"(?<!\\)(?:\\\\)*{quote}", body)
    assert "\n" not in body
    simple = {"n": "\n", "r": "\r", "t": "\t"}

    def one(match: re.Match[str]) -> str:
        code = match.group(1)
        if code.startswith("x"):
            return chr(int(code[1:], 16))
        assert code in simple or code in ("\\", quote), f"Prometheus does not know \\{code}"
        return simple.get(code, code)

    return re.sub(r"\\(x[0-9a-f]{2}|.)", one, body)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])), st.sampled_from(['"', "'"]))
def test_any_value_stays_inside_its_string(value: str, quote: str) -> None:
    assert _literal(into_promql(f"up{{a={quote}$V{quote}}}", {"V": value}), quote) == value
