"""What of an object may be shown."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_cli.core.secret_words import HIDDEN
from maestro_cli.sources.kube.object_text import shown_document

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def test_no_value_of_a_secret_is_shown_however_it_stands_there() -> None:
    document = {
        "kind": "Secret",
        "data": {"password": "aHVudGVyMg==", "empty": ""},
        "stringData": {"user": "hunter2"},
        "metadata": {"name": "s", "annotations": {APPLIED: "hunter2", "team": "ml"}, "managedFields": [{}]},
    }
    shown, hidden = shown_document(document)
    assert shown == {
        "kind": "Secret",
        "data": {"password": HIDDEN, "empty": HIDDEN},
        "stringData": {"user": HIDDEN},
        "metadata": {"name": "s", "annotations": {"team": "ml"}},
    }
    assert hidden == ("data.password", "data.empty", "stringData.user")


def container(**more: Any) -> dict[str, Any]:
    return {"kind": "Pod", "spec": {"containers": [{"name": "server", **more}]}}


@pytest.mark.parametrize(
    ("given", "told", "where"),
    [
        ({"env": [{"name": "API_TOKEN", "value": "x1"}]}, HIDDEN, "env[0].API_TOKEN"),
        ({"env": [{"name": "URL", "value": "http://a:secretword@b/"}]}, HIDDEN, "env[0].value"),
        ({"args": ["--password=secretword", "--port=80"]}, "--port=80", "args[0]"),
        ({"args": ["--port=80", "--token", "secretword"]}, "--port=80", "args[2]"),
    ],
    ids=["a variable by its name", "a variable by its value", "an option", "the word after an option"],
)
def test_what_sounds_or_looks_like_a_secret_is_hidden(given: dict[str, Any], told: str, where: str) -> None:
    shown, hidden = shown_document(container(**given))
    text = str(shown)
    assert "secretword" not in text
    assert "x1" not in text
    assert told in text
    assert hidden == (f"spec.containers[0].{where}",)


def test_a_short_entry_of_a_config_map_with_the_name_of_a_secret_is_hidden_and_a_file_is_not() -> None:
    data = {"DB_PASSWORD": "x1", "token-rules.yaml": "a: 1\nb: 2\n", "level": "info"}
    shown, hidden = shown_document({"kind": "ConfigMap", "data": data})
    assert shown["data"] == {**data, "DB_PASSWORD": HIDDEN}
    assert hidden == ("data.DB_PASSWORD",)


def test_a_field_and_an_annotation_with_the_name_of_a_secret_are_hidden() -> None:
    document = {
        "kind": "Database",
        "metadata": {"annotations": {"db-password": "x1", "team": "ml"}},
        "spec": {"password": "x1", "user": "ana", "replicas": [{"connectionString": "x1"}]},
    }
    shown, hidden = shown_document(document)
    assert shown == {
        "kind": "Database",
        "metadata": {"annotations": {"db-password": HIDDEN, "team": "ml"}},
        "spec": {"password": HIDDEN, "user": "ana", "replicas": [{"connectionString": HIDDEN}]},
    }
    assert hidden == (
        "metadata.annotations.db-password", "spec.password", "spec.replicas[0].connectionString"
    )  # fmt: skip


def test_where_a_secret_is_and_how_long_it_is_good_is_shown() -> None:
    spec = {
        "secretName": "s",
        "imagePullSecrets": [{"name": "s"}],
        "tokenUrl": "https://a/token",
        "automountServiceAccountToken": False,
        "tokenTTLSeconds": 3600,
        "password": "",
        "passwordSecretRef": {"name": "s", "key": "k"},
    }
    assert shown_document({"kind": "X", "spec": spec}) == ({"kind": "X", "spec": spec}, ())


def test_what_holds_no_secret_stays_as_it_is() -> None:
    document = container(
        args=["--port", "80"],
        env=[
            {"name": "LEVEL", "value": "info"},
            {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "s"}}},
        ],
        resources={"limits": {"cpu": 1}},
    )
    assert shown_document(document) == (document, ())
