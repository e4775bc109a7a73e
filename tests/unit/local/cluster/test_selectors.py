"""Label and field selectors: the grammar, and that text and object forms agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.local.cluster.selectors import (
    parse_field_selector,
    parse_label_selector,
    selector_of,
    selector_text,
)
from maestro_cli.local.cluster.status import ApiError

_KEYS = st.sampled_from(["app", "tier", "maestro.io/zone", "in", "notin"])
_VALUES = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)
_LABELS = st.dictionaries(_KEYS, _VALUES)
_EXPRESSIONS = st.one_of(
    st.fixed_dictionaries(
        {
            "key": _KEYS,
            "operator": st.sampled_from(["In", "NotIn"]),
            "values": st.lists(_VALUES, min_size=1, max_size=3),
        }
    ),
    st.fixed_dictionaries({"key": _KEYS, "operator": st.sampled_from(["Exists", "DoesNotExist"])}),
)


@given(labels=_LABELS, expressions=st.lists(_EXPRESSIONS, max_size=3), wanted=_LABELS)
def test_a_selector_object_and_its_text_agree(
    labels: dict[str, str], expressions: list[dict[str, object]], wanted: dict[str, str]
) -> None:
    spec = {"matchLabels": wanted, "matchExpressions": expressions}
    parsed = parse_label_selector(selector_text(spec))
    assert parsed.matches(labels) is selector_of(spec).matches(labels)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    code = 400
    try:
        parse_label_selector(text).matches({"a": "b"})
    except ApiError as error:
        code = error.code
    assert code == 400


@pytest.mark.parametrize(
    "text",
    ["a=b c", "a in", "a in b", "a in (b", "=a", "!", "a>x", "a,,b", "a=b,", "-a=b", "a=%", "a!", "(a)"],
)
def test_malformed_selectors_are_refused(text: str) -> None:
    with pytest.raises(ApiError):
        parse_label_selector(text)


def test_no_selector_matches_nothing_and_an_empty_one_everything() -> None:
    assert not selector_of(None).matches({"a": "b"})
    assert selector_of({}).matches({"a": "b"})
    assert parse_label_selector(" ").matches({})


def test_field_selectors() -> None:
    known = frozenset({"metadata.name", "status.phase"})
    selector = parse_field_selector(r"metadata.name==a\,b,status.phase!=Failed", known)
    fields = {"metadata.name": "a,b", "status.phase": "Running"}
    assert selector.matches(fields.__getitem__)
    assert not selector.matches({**fields, "status.phase": "Failed"}.__getitem__)
    for text in ("metadata.name", "spec.x=1", "=a"):
        with pytest.raises(ApiError):
            parse_field_selector(text, known)
