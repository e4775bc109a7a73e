"""Where the objectives of a context come from, and how far what a cluster holds is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from maestro_cli.core.errors import InvalidFile, NotFound, Unreachable, UsageError
from maestro_cli.core.untrusted import Untrusted
from maestro_cli.services.excluding import exclusions_of
from maestro_cli.services.objectives import (
    contract_of,
    find_context_objectives,
    find_objective,
    lint_objectives,
    objectives_in_files,
    objectives_of,
)
from maestro_cli.services.promql_parsers import LEXICAL

SLOTH = "/apis/sloth.slok.dev/v1"
PYRRA = "/apis/pyrra.dev/v1alpha1"


def pyrra(name: str, target: str = "99.9") -> dict[str, Any]:
    ratio = {"errors": {"metric": "e_total"}, "total": {"metric": "a_total"}}
    spec = {"target": target, "window": "4w", "indicator": {"ratio": ratio}}
    return {"metadata": {"name": name, "namespace": "ml", "uid": "u"}, "spec": spec}


def sloth(name: str, query: str = "sum(rate(e_total[{{.window}}]))") -> dict[str, Any]:
    events = {"errorQuery": query, "totalQuery": "sum(rate(a_total[{{.window}}]))"}
    spec = {"service": "shop", "slos": [{"name": name, "objective": 99, "sli": {"events": events}}]}
    return {"metadata": {"name": name, "namespace": "ml"}, "spec": spec}


def openslo(name: str, target: str = "0.99") -> str:
    source = "{metricSource: {type: Prometheus, spec: {query: %s}}}"
    return (
        f"apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {name}}}\nspec:\n  service: shop\n"
        f"  indicator: {{spec: {{ratioMetric: {{bad: {source % 'e'}, total: {source % 'a'}}}}}}}\n"
        f"  timeWindow: [{{duration: 30d}}]\n  objectives: [{{target: {target}}}]\n"
    )


@dataclass
class FakeCluster:
    """Config maps and resources; a path that is not there is not served."""

    data: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, list[dict[str, Any]]] = field(default_factory=dict)
    fails: bool = False

    def get_config_map(self, namespace: str, name: str) -> Any:
        assert (namespace, name) == ("ml", "slos")
        return SimpleNamespace(data={key: Untrusted(text) for key, text in self.data.items()})

    def get_object(self, path: str) -> dict[str, Any]:
        if self.fails:
            raise Unreachable("the cluster does not answer")
        if path not in self.lists:
            raise NotFound("the server could not find the requested resource")
        return {"items": self.lists[path]}


def services(folder: Path, *entries: str, cluster: FakeCluster | None = None) -> Any:
    return SimpleNamespace(
        settings=SimpleNamespace(origins={"t": str(folder / "config.yaml")}),
        context_name="t",
        journal_path=folder / "none.sqlite",
        context=SimpleNamespace(objectives=list(entries), exclusions=[], contract=None),
        cluster=cluster,
    )


def test_a_config_map_is_read_as_a_folder_is(tmp_path: Path) -> None:
    cluster = FakeCluster(
        {"a.yaml": openslo("a"), "b.yml": openslo("b") + "---\n" + openslo("c"), "notes": "x"}
    )
    found = find_context_objectives(services(tmp_path, "configmap:ml/slos", cluster=cluster))
    assert [one.name for one in found.objectives] == ["a", "b", "c"]
    assert [one.origin for one in found.objectives][:2] == [
        "configmap ml/slos a.yaml:1",
        "configmap ml/slos b.yml:1",
    ]
    assert [note.text for note in found.notes] == ["notes is ignored: its name does not end in .yaml"]
    assert found.broken == ()


@pytest.mark.parametrize(("entry", "scope"), [("cluster:ml", "/namespaces/ml"), ("cluster:*", "")])
def test_resources_of_a_cluster_are_read(tmp_path: Path, entry: str, scope: str) -> None:
    lists = {
        f"{SLOTH}{scope}/prometheusservicelevels": [sloth("errors")],
        f"{PYRRA}{scope}/servicelevelobjectives": [pyrra("probes")],
    }
    found = find_context_objectives(services(tmp_path, entry, cluster=FakeCluster(lists=lists)))
    assert [one.name for one in found.objectives] == ["shop-errors", "probes"]
    assert found.objectives[1].origin == "servicelevelobjectives ml/probes:1"
    assert (found.notes, found.broken) == ((), ())


def test_that_a_cluster_has_no_such_resources_is_said(tmp_path: Path) -> None:
    found = find_context_objectives(services(tmp_path, "cluster:ml", cluster=FakeCluster()))
    assert [note.text.partition(" (")[0] for note in found.notes] == [
        "the cluster has no prometheusservicelevels", "the cluster has no servicelevelobjectives",
    ]  # fmt: skip
    assert (found.objectives, found.broken) == ((), ())


def test_a_cluster_that_does_not_answer_is_no_empty_list(tmp_path: Path) -> None:
    given = services(tmp_path, "cluster:ml", cluster=FakeCluster(fails=True))
    with pytest.raises(Unreachable):
        objectives_of(given)
    assert objectives_in_files(given) == ()


def test_what_is_broken_in_a_cluster_hides_no_other(tmp_path: Path) -> None:
    items = [pyrra("good"), pyrra("ratio", target="0.999"), pyrra("twin"), pyrra("twin")]
    cluster = FakeCluster(lists={f"{PYRRA}/namespaces/ml/servicelevelobjectives": items})
    given = services(tmp_path, "cluster:ml", cluster=cluster)
    assert list(objectives_of(given)) == ["good"]
    assert [error.what.partition(": ")[0] for error in find_context_objectives(given).broken] == [
        "servicelevelobjectives ml/ratio:1", "servicelevelobjectives ml/twin:1",
    ]  # fmt: skip
    assert {(one.rule, one.level) for one in lint_objectives(given, None, LEXICAL)} == {
        ("invalid", "error"), ("ignored", "warning"),
    }  # fmt: skip


def test_nothing_in_a_cluster_takes_the_name_of_an_objective_of_a_file(tmp_path: Path) -> None:
    """Whoever may write there could else have the promise of a service mean something else, or vanish."""
    (tmp_path / "a.yaml").write_text(openslo("mine", "0.999"), encoding="utf-8")
    cluster = FakeCluster({"evil.yaml": openslo("mine", "0.5")})
    given = services(tmp_path, "configmap:ml/slos", "a.yaml", cluster=cluster)
    assert objectives_of(given)["mine"].target == 0.999
    (error,) = find_context_objectives(given).broken
    assert f"is that of {tmp_path / 'a.yaml'}:1" in error.what


def test_a_broken_file_is_an_error_as_ever(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(openslo("mine", "99"), encoding="utf-8")
    (tmp_path / "b.yaml").write_text(openslo("other"), encoding="utf-8")
    given = services(tmp_path, "a.yaml", "b.yaml")
    with pytest.raises(InvalidFile, match="ratio above 0"):
        objectives_of(given)
    assert [one.name for one in find_context_objectives(given).objectives] == ["other"]
    with pytest.raises(InvalidFile, match="ratio above 0"):
        find_objective(given, "mine")


def test_one_name_in_two_places_is_an_error(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(openslo("mine"), encoding="utf-8")
    with pytest.raises(InvalidFile, match=r"also in .*a\.yaml:1"):
        objectives_of(services(tmp_path, "a.yaml", "b.yaml"))


@pytest.mark.parametrize("entry", ["configmap:ml", "configmap:/x", "configmap:a/b/c", "cluster:"])
def test_an_entry_that_names_no_place_is_refused(tmp_path: Path, entry: str) -> None:
    with pytest.raises(UsageError, match="names no"):
        find_context_objectives(services(tmp_path, entry, cluster=FakeCluster()))


def test_that_there_is_none_is_found(tmp_path: Path) -> None:
    assert [one.rule for one in lint_objectives(services(tmp_path), None, LEXICAL)] == ["nowhere"]
    with pytest.raises(NotFound, match="is not there"):
        lint_objectives(services(tmp_path), str(tmp_path / "x"), LEXICAL)


def test_exclusions_and_the_contract_are_checked_with_the_objectives_they_name(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(openslo("mine"), encoding="utf-8")
    (tmp_path / "e.yaml").write_text(
        "maestro: exclusions/v1\nexclusions:\n"
        "- {id: i, owner: o, reason: r, start: 2026-10-04T02:00, duration: 1h, objectives: [other]}\n",
        encoding="utf-8",
    )
    text = "maestro: contract/v1\nname: n\ncustomer: c\nobjectives: [other]\n"
    (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
    given = services(tmp_path, "a.yaml")
    assert lint_objectives(given, None, LEXICAL) == ()
    given.context.exclusions, given.context.contract = [str(tmp_path / "e.yaml")], str(tmp_path / "c.yaml")
    found = lint_objectives(given, None, LEXICAL)
    assert [(Path(one.file).name, one.level) for one in found] == [("c.yaml", "error"), ("e.yaml", "error")]
    given.objectives = objectives_of(given)
    with pytest.raises(InvalidFile, match="no such objective"):
        contract_of(given)
    assert [one.id for one in exclusions_of(given)] == ["i"]
