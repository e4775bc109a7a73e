"""What the contract suite keeps of a kubectl in the background: only what was judged passes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.cluster import kubectl as module
from tests.contract.cluster.behaviours import Record
from tests.contract.cluster.kubectl import Kubectl


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch) -> Record:
    made = Record()
    monkeypatch.setattr(module, "RECORD", made)
    return made


@pytest.fixture
def kubectl(tmp_path: Path) -> Kubectl:
    """Prints its arguments and ends."""
    return Kubectl(tmp_path, tmp_path, "ns", Path("/bin/echo"))


def test_a_followed_kubectl_passes_once_it_is_judged(kubectl: Kubectl, record: Record) -> None:
    with kubectl.following("get", "pods", "-w") as followed:
        assert followed.line() == "--namespace ns get pods -w\n"
        assert record.commands == {}, "nothing is known yet"
    assert record.commands == {"get": {"lite": "pass"}, "get -w": {"lite": "pass"}}
    assert followed.process.returncode is not None, "it is gone"


def test_a_followed_kubectl_that_is_judged_bad_fails(kubectl: Kubectl, record: Record) -> None:
    with pytest.raises(AssertionError), kubectl.following("get", "pods", "-w") as followed:
        assert followed.line() == "something else"
    assert record.commands == {"get": {"lite": "fails"}, "get -w": {"lite": "fails"}}
