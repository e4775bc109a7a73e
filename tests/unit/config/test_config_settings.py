"""A flag beats a variable, beats the nearer file, beats the farther; what is wrong is named and refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from maestro_cli.config.locations import config_dir, local_state_dir
from maestro_cli.config.settings import Settings, load_settings, local_context_file
from maestro_cli.core.errors import InvalidFile, NotFound, UsageError

FAR = """
current_context: far
contexts:
  far: {namespace: far}
  both: {namespace: far, read_only: true}
runbooks: [books]
"""
NEAR = """
current_context: near
contexts:
  near: {namespace: near}
  both: {namespace: near}
runbooks: [./more, /absolute, ~/mine]
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def far() -> Path:
    return write(config_dir() / "config.yaml", FAR)


@pytest.fixture
def here(tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


def test_without_files_there_is_nothing(here: Path) -> None:
    settings = load_settings(here, {})
    assert settings == Settings({}, {}, None, "", (), (), (), str(here / "maestro.yaml"))


def test_the_far_file_counts_where_nothing_is_nearer(far: Path, here: Path) -> None:
    settings = load_settings(here, {})
    assert (settings.current_context, settings.current_from) == ("far", str(far))
    assert settings.context("far").namespace == "far"


def test_the_nearer_file_beats_the_farther(far: Path, here: Path) -> None:
    near = write(here / "maestro.yaml", NEAR)
    settings = load_settings(here, {})
    assert (settings.current_context, settings.current_from) == ("near", str(near))
    assert settings.origins == {"far": str(far), "both": str(near), "near": str(near)}
    assert settings.files == (str(far), str(near))


def test_a_context_is_taken_whole_never_mixed(far: Path, here: Path) -> None:
    write(here / "maestro.yaml", NEAR)
    assert load_settings(here, {}).context("both").namespace == "near"
    assert load_settings(here, {}).context("both").read_only is False


def test_a_variable_beats_files_and_a_flag_beats_all(far: Path, here: Path) -> None:
    write(here / "maestro.yaml", NEAR)
    environment = {"MAESTRO_CONTEXT": "both"}
    by_variable = load_settings(here, environment)
    by_flag = load_settings(here, environment, flag_context="far")
    assert (by_variable.current_context, by_variable.current_from) == ("both", "MAESTRO_CONTEXT")
    assert (by_flag.current_context, by_flag.current_from) == ("far", "--context")


def test_an_empty_variable_says_nothing(far: Path, here: Path) -> None:
    assert load_settings(here, {"MAESTRO_CONTEXT": ""}).current_context == "far"


def test_folders_of_the_nearer_file_come_first_and_start_at_their_file(
    far: Path, here: Path, own_home: Path
) -> None:
    write(here / "maestro.yaml", NEAR)
    assert load_settings(here, {}).runbook_dirs == (
        str(here / "more"), "/absolute", str(own_home / "mine"), str(far.parent / "books")
    )  # fmt: skip


def test_files_that_a_context_names_start_at_the_file_that_names_them(here: Path, own_home: Path) -> None:
    write(
        here / "maestro.yaml",
        "contexts: {a: {cluster: {kubeconfig: kube/config}, prometheus: {url: 'https://p', ca_file: ~/ca.crt,"
        " token: 'file:token', password: 'env:P'}, secrets: {url: 'https://v', ca_file: ca.crt,"
        " token: 'file:vault'}}}",
    )
    context = load_settings(here, {}).context("a")
    assert context.cluster is not None
    assert context.prometheus is not None
    assert context.cluster.kubeconfig == str(here / "kube/config")
    assert context.prometheus.ca_file == str(own_home / "ca.crt")
    assert context.prometheus.token == f"file:{here / 'token'}"
    assert context.prometheus.password == "env:P"
    assert context.secrets is not None
    assert context.secrets.ca_file == str(here / "ca.crt")
    assert context.secrets.token == f"file:{here / 'vault'}"


def test_a_token_and_what_is_kept_out_of_records_may_be_in_the_vault(here: Path) -> None:
    write(
        here / "maestro.yaml",
        "contexts: {a: {prometheus: {url: 'https://p', token: 'bao:kv/p#token'}, redact: ['bao:kv/x#y']}}",
    )
    context = load_settings(here, {}).context("a")
    assert context.prometheus is not None
    assert (context.prometheus.token, context.redact) == ("bao:kv/p#token", ["bao:kv/x#y"])


def test_secrets_of_the_webhook_start_at_the_file_that_names_them(here: Path) -> None:
    write(here / "maestro.yaml", "contexts: {a: {webhook: {token: 'file:w', secret: 'env:S'}}}")
    webhook = load_settings(here, {}).context("a").webhook
    assert webhook is not None
    assert webhook.references == {"token": f"file:{here / 'w'}", "secret": "env:S"}


def test_the_embedded_platform_is_a_context_and_the_last_resort(far: Path, here: Path) -> None:
    write(local_context_file(), json.dumps({"namespace": "ml"}))
    assert load_settings(here, {}).current_context == "far"
    far.unlink()
    settings = load_settings(here, {})
    assert (settings.current_context, settings.context("local").namespace) == ("local", "ml")


@pytest.mark.parametrize("is_up", [False, True])
def test_a_context_that_the_embedded_platforms_own_would_hide_is_refused(here: Path, is_up: bool) -> None:
    if is_up:
        write(local_context_file(), json.dumps({"namespace": "ml"}))
    write(here / "maestro.yaml", "contexts:\n  local: {policy: policy.yaml}\n")
    with pytest.raises(InvalidFile, match="embedded platform's own") as refused:
        load_settings(here, {})
    assert "another name" in refused.value.fix


def test_an_unknown_context_brings_a_suggestion(far: Path, here: Path) -> None:
    settings = load_settings(here, {})
    with pytest.raises(NotFound) as caught:
        settings.context("fra")
    assert caught.value.why == "did you mean 'far'?"
    with pytest.raises(NotFound) as down:
        settings.context("local")
    assert down.value.fix == "maestro local up"


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("contexts:\n  a:\n    promtheus: {url: x}", 3, "contexts.a.promtheus"),
        ("contexts:\n  a:\n    prometheus:\n      url: prom:9090", 4, "contexts.a.prometheus.url"),
        ("contexts:\n  a:\n    prometheus:\n      url: http://", 4, "contexts.a.prometheus.url"),
        ("contexts:\n  a:\n    prometheus:\n      url: 'http://[::1'", 4, "contexts.a.prometheus.url"),
        ("contexts:\n  a:\n    prometheus:\n      url: http://h:99999", 4, "contexts.a.prometheus.url"),
        ("contexts:\n  a:\n    serving:\n      url: http://me:hunter2@h", 4, "contexts.a.serving.url"),
        ("contexts:\n  a:\n    alertmanager:\n      url: http://h\n      token: hunter2", 5,
         "contexts.a.alertmanager.token"),
        ("contexts:\n  a:\n    secrets:\n      url: https://me:hunter2@h", 4, "contexts.a.secrets.url"),
        ("contexts:\n  a:\n    secrets:\n      url: https://h\n      token: hunter2", 5,
         "contexts.a.secrets.token"),
        ("contexts:\n  a:\n    secrets:\n      url: https://h\n      token: bao:a#b", 5,
         "contexts.a.secrets.token"),
        ("contexts:\n  a:\n    redact: ['bao:a']", 3, "contexts.a.redact[0]"),
        ("contexts:\n  a:\n    webhook:\n      token: hunter2", 4, "contexts.a.webhook.token"),
        ("contexts:\n  a:\n    webhook:\n      listen: 127.0.0.1:9099", 3, "contexts.a.webhook"),
        ("contexts:\n  a:\n    webhook:\n      password: env:X", 3, "contexts.a.webhook"),
        ("contexts:\n  a:\n    webhook: {token: env:X,\n     listen: x}", 4, "contexts.a.webhook.listen"),
        ("contexts:\n  a:\n    max_replicas_share: 0.0", 3, "contexts.a.max_replicas_share"),
        ("contexts:\n  a:\n    max_replicas_share: 1.5", 3, "contexts.a.max_replicas_share"),
        ("contexts:\n  a: {}\n  ../b: {}", 3, "contexts.../b"),
        ("contexts: {}\ncurrent_context: a/b", 2, "current_context"),
        ("contexts:\n  a:\n    namespace: 5", 3, "contexts.a.namespace"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_file_line_and_key(here: Path, text: str, line: int, key: str) -> None:
    file = write(here / "maestro.yaml", text)
    with pytest.raises(InvalidFile) as caught:
        load_settings(here, {})
    assert (caught.value.where, caught.value.key) == (f"{file}:{line}", key)
    assert "hunter2" not in f"{caught.value.what}{caught.value.why}{caught.value.fix}"


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "", ".hidden", "a b", "a" * 64, "\x1b[31m"])
def test_a_name_that_could_be_a_path_is_no_context(here: Path, name: str) -> None:
    if name:
        with pytest.raises(UsageError, match="not the name of a context"):
            load_settings(here, {}, flag_context=name)
        with pytest.raises(UsageError, match="not the name of a context"):
            load_settings(here, {"MAESTRO_CONTEXT": name})
    assert load_settings(here, {}, flag_context="eu-1.prod_a").current_context == "eu-1.prod_a"


def test_a_file_that_cannot_be_looked_at_is_an_error_not_an_absence(here: Path) -> None:
    loop = here / "maestro.yaml"
    os.symlink(loop, loop)
    with pytest.raises(InvalidFile, match="cannot be read"):
        load_settings(here, {})


def test_a_damaged_context_of_the_platform_is_named(here: Path) -> None:
    write(local_context_file(), '{"namespace": ')
    with pytest.raises(InvalidFile, match=str(local_state_dir())):
        load_settings(here, {})


@pytest.mark.parametrize(
    ("service", "refused"), [("fraud", False), ("", False), ("a fraud", True), ("-x", True)]
)
def test_a_failover_names_a_service_as_objectives_have_it(here: Path, service: str, refused: bool) -> None:
    failover = {
        "to": "west",
        "entrance": "ml/in",
        "url": "http://x/",
        "sentinels": "ml/s",
        "service": service,
    }
    contexts = {"east": {"experiments": {"failover": failover}}}
    write(here / "maestro.yaml", json.dumps({"contexts": contexts}))
    if not refused:
        rules = load_settings(here, {}).context("east").experiments
        assert rules is not None
        assert rules.failover is not None
        assert rules.failover.service == service
        return
    with pytest.raises(InvalidFile, match="no name of a service"):
        load_settings(here, {})
