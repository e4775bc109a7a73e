"""What differs between two manifests of a Helm release: told by object, and no secret of it."""

from __future__ import annotations

import pytest

from maestro_cli.changes.manifests import diff_manifests


def test_objects_that_come_and_go_are_told_by_name() -> None:
    before = "kind: ConfigMap\nmetadata: {name: old}\ndata: {db_password: x}\n"
    after = (
        "kind: ConfigMap\nmetadata: {name: new, namespace: other}\n---\nkind: Thing\nmetadata: {name: t}\n"
    )
    differs = diff_manifests(before, after, "ml")
    assert [str(ref) for ref in differs.created] == ["ml/thing/t", "other/configmap/new"]
    assert [str(ref) for ref in differs.deleted] == ["ml/configmap/old"]


def test_values_that_look_secret_are_hidden_outside_secrets_too() -> None:
    def text(value: str) -> str:
        return f"kind: ConfigMap\nmetadata: {{name: a}}\ndata: {{db_password: {value}, level: {value}}}\n"

    lines = diff_manifests(text("hunter2"), text("hunter3"), "ml").lines
    assert [(str(line.path), str(line.after)) for line in lines] == [
        ("ml/configmap/a data.db_password", "«hidden»"), ("ml/configmap/a data.level", "hunter3"),
    ]  # fmt: skip


@pytest.mark.parametrize("line", ["password: {}", "db_password={}"])
def test_a_line_that_holds_a_secret_hides_the_file_it_is_in(line: str) -> None:
    def text(value: str) -> str:
        held = line.format(value)
        return f"kind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  app.ini: |\n    level: info\n    {held}\n"

    (found,) = diff_manifests(text("hunter2"), text("hunter3"), "ml").lines
    assert (str(found.before), str(found.after)) == ("«hidden»", "«hidden»")


@pytest.mark.parametrize(
    "hostile",
    [
        "a: &x [1]\nb: *x\n",
        "kind: !!python/object:os.system x\n",
        "[" * 200,
        "- 1\n",
        "kind: 7\n",
        "{{ .Values.x }}",
    ],
)
def test_what_is_no_plain_object_is_compared_as_a_whole(hostile: str) -> None:
    differs = diff_manifests("", hostile, "ml")
    assert [ref.kind for ref in differs.created] == ["Document"]
    assert diff_manifests(hostile, hostile, "ml").lines == ()
