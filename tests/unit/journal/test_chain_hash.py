"""The hash is that of the JSON array it is documented to be, whatever the texts hold."""

from __future__ import annotations

import hashlib
import json

from hypothesis import given
from hypothesis import strategies as st

from maestro_cli.core.canonical import canonical_json
from maestro_cli.journal.model import chain_hash

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.integers(1, 2**63 - 1), st.lists(st.text(), min_size=5, max_size=5), _values)
def test_it_can_be_recomputed_with_any_json_library(seq: int, texts: list[str], value: object) -> None:
    time, kind, subject, actor, prev = texts
    document = [seq, time, kind, subject, actor, prev, value]
    spelt = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    expected = hashlib.sha256(spelt.encode("utf-8", "surrogatepass")).hexdigest()
    assert chain_hash(seq, time, kind, subject, actor, prev, canonical_json(value)) == expected
