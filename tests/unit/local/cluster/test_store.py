"""The store and its pages: snapshots, history, tokens."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.local.cluster.paging import decode_token, encode_token
from maestro_cli.local.cluster.status import ApiError
from maestro_cli.local.cluster.store import Event, Store

_NAME = st.text(string.ascii_lowercase + string.digits + "-.", min_size=1, max_size=20)
_WRITES = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["put", "remove"])), max_size=25)


@given(revision=st.integers(1, 2**62), namespace=st.one_of(st.just(""), _NAME), name=_NAME)
def test_tokens_come_back(revision: int, namespace: str, name: str) -> None:
    assert decode_token(encode_token(revision, (namespace, name))) == (revision, (namespace, name))


@given(st.text(max_size=60))
def test_any_token_is_read_or_refused(token: str) -> None:
    code = 400
    try:
        decode_token(token)
    except ApiError as error:
        code = error.code
    assert code == 400


@given(_WRITES)
def test_every_past_moment_can_be_listed_and_replayed(writes: list[tuple[str, str]]) -> None:
    store = Store()
    heard: list[Event] = []
    stop = store.listen("pods", heard.append)
    moments = {store.revision: list[str]()}
    for name, verb in writes:
        key = ("ns", name)
        if verb == "put":
            store.put("pods", key, {"metadata": {"name": name}})
        elif store.get("pods", key):
            store.remove("pods", key, {"metadata": {"name": name}})
        moments[store.revision] = [one.key[1] for one in store.list("pods")]
    stop()
    for revision, names in moments.items():
        assert [one.key[1] for one in store.list("pods", "ns", at=revision)] == names
        assert store.since("pods", revision) == [one for one in heard if one.revision > revision]
    assert store.occupied("pods", "ns") is bool(store.list("pods"))


def test_history_is_bounded_and_says_so() -> None:
    store = Store(history=3)
    start = store.revision
    for number in range(5):
        store.put("pods", ("ns", "p"), {"metadata": {"name": "p"}, "n": number})
    assert len(store.since("pods", start + 2)) == 3
    for read in (lambda: store.since("pods", start), lambda: store.list("pods", at=start)):
        with pytest.raises(ApiError) as refused:
            read()
        assert refused.value.code == 410
    with pytest.raises(ApiError) as early:
        store.list("pods", at=store.revision + 1)
    assert early.value.code == 504


def test_a_stored_object_is_not_changed_through_a_copy() -> None:
    store = Store()
    version = store.put("pods", ("ns", "p"), {"metadata": {"name": "p"}})
    version.copy()["metadata"]["name"] = "other"
    assert version.object["metadata"]["name"] == "p"
    assert int(version.object["metadata"]["resourceVersion"]) == version.revision == store.revision
