"""The console in a real terminal, by keys alone: a whole incident, and backends that are gone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.door import Door, Way
from tests.e2e.session import Session, platform_up
from tests.e2e.terminal import Terminal, is_missing, terminal

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(is_missing(), reason="tmux is not installed: apt-get install tmux"),
]

ROLLBACK = "roll ml/deploy/fraud back from revision 2 to revision 1"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with platform_up(tmp_path_factory.mktemp("console")) as session:
        yield session


@pytest.fixture
def console(session: Session) -> Iterator[Terminal]:
    with terminal(session.command("tui"), session.environment, str(session.home)) as opened:
        yield opened


def served(session: Session) -> list[str]:
    """What the containers of the deployment are started with."""
    found = session.kubectl("-n", "ml", "get", "deploy", "fraud", "-o", "jsonpath={..containers[0].args}")
    words: list[str] = json.loads(found)
    return words


def ship(session: Session, version: str) -> None:
    """Release a version of the model, as any pipeline would: the deployment is patched."""
    words = served(session)
    words[words.index("--serve") + 1] = version
    patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/args", "value": words}]
    session.kubectl("-n", "ml", "patch", "deploy", "fraud", "--type=json", "-p", json.dumps(patch))


def arm(console: Terminal) -> None:
    console.press("W")
    console.await_text("Allow changes in local for how many minutes")
    console.press("Tab", "Enter")
    console.await_text(r"WRITE local")


def leave(console: Terminal) -> None:
    """It ends, and so does everything that it has started."""
    own = console.processes()
    console.press("C-q")
    console.await_end(own)


def say(console: Terminal, key: str, dialog: str, *answers: str) -> None:
    """Open the dialog of a key, type its answers, one a field, and go on."""
    console.press(key)
    console.await_text(dialog)
    for place, answer in enumerate(answers):
        if place:
            console.press("Tab")
        if answer:
            console.type(answer)
    console.press("Enter")
    console.await_no(dialog)


def dry_run(console: Terminal, said: str) -> None:
    """Up to the dialog that shows what the runbook would do; its Cancel has the focus."""
    console.press("r")
    console.await_text("which runbook")
    console.press("Enter")
    console.await_text("The dry run of high-error-rate runs these steps")
    console.press("Tab", "Enter")
    console.await_text("Dry run of high-error-rate: nothing was changed")
    console.await_text(said)


def test_a_bad_release_goes_from_its_alert_to_a_closed_incident_by_keys_alone(
    session: Session, console: Terminal
) -> None:
    console.await_text("maestro in ten keys")
    console.press("Escape")
    console.await_text("local READ-ONLY")
    ship(session, "fraud=2")
    console.await_text(r"▸ +#1 +sev\d +detected .* fraud answers with errors")
    console.press("Enter")
    console.await_text(r"#1 sev\d DETECTED +fraud answers with errors")
    console.await_text(r"next +a acknowledge · T triage · r run runbook high-error-rate \(dry run first\)")
    console.press("a")
    console.await_text(r"signals? firing (?s:.*) owner tester")
    console.press("T")
    console.await_text(r"suspect +release ml/deploy/fraud revision 2 \(0\.\d+")
    console.await_text(r"next +r run runbook high-error-rate \(dry run first\) · x roll back")

    dry_run(console, "would end with")
    console.press("Enter")
    console.await_text("its run is refused now")
    arm(console)
    dry_run(console, ROLLBACK)
    console.press("Enter")
    console.await_text("dry run only; nothing was changed")
    assert "fraud=2" in served(session)
    dry_run(console, ROLLBACK)
    console.press("Tab", "Enter")
    console.await_text(r"run-\w+ succeeded")
    console.await_text(r"0 of \d signals? firing")
    console.await_text(r"next +m say what mitigated it · R resolve")

    say(console, "m", "Mitigated: #1", "the release was rolled back")
    console.await_text(r"#1 sev\d MONITORING")
    console.await_text(r"next +R resolve")
    say(console, "R", "Resolve: #1")
    console.await_text(r"next +P write the post-mortem")
    say(console, "P", "Post-mortem: #1")
    console.await_text(r"next +B publish the post-mortem")
    say(console, "B", "Publish: #1", "", "the rest is written tomorrow")
    console.await_text(r"next +C close")
    say(console, "C", "Close: #1")
    console.await_text(r"#1 sev\d CLOSED")
    console.await_text(r"Close #1: ")
    leave(console)

    incident = session.json("incident", "show", "1")["incident"]
    assert (incident["state"], incident["owner"], incident["firing"]) == ("closed", "tester", 0)
    assert "fraud=1" in served(session)
    (run,) = session.json("runbook", "history")["items"]
    assert (run["incident"], run["status"], run["actor"]) == (incident["id"], "succeeded", "tester")
    changes = [one for one in session.json("change", "list")["items"] if one["state"] != "planned"]
    assert [(one["kind"], one["state"]) for one in changes] == [("rollback", "verified")]
    (written,) = (session.state / "postmortems" / "local").glob("*.md")
    assert "revision 2" in written.read_text(encoding="utf-8")
    assert session.run("journal", "verify").returncode == 0


@pytest.fixture
def doors(session: Session) -> Iterator[tuple[Door, Door]]:
    """The ways of a context `far` to the API server and to Prometheus of the platform."""
    local = json.loads((session.state / "local" / "context.json").read_text(encoding="utf-8"))
    config = json.loads(Path(local["cluster"]["kubeconfig"]).read_text(encoding="utf-8"))
    with (
        Door(config["clusters"][0]["cluster"]["server"]) as api,
        Door(local["prometheus"]["url"]) as prometheus,
    ):
        config["clusters"][0]["cluster"] = {"server": api.url}
        kubeconfig = session.home / "far.kubeconfig"
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(json.dumps(config), encoding="utf-8")
        far = {
            "namespace": "ml",
            "objectives": local["objectives"],
            "cluster": {"kubeconfig": str(kubeconfig)},
            "prometheus": {"url": prometheus.url},
        }
        settings = session.home / "config" / "maestro" / "config.yaml"
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(json.dumps({"contexts": {"far": far}}), encoding="utf-8")
        yield api, prometheus
        settings.unlink()


def go(console: Terminal, line: str, pattern: str) -> None:
    """The keys answer: type where to go, and see it."""
    console.type(f":{line}")
    console.press("Enter")
    console.await_text(pattern)


def stale(what: str) -> str:
    """Which is missing, why, and how old it is what is shown."""
    return rf"! far: {what}[\s\S]*what\s+you\s+see\s+is\s+[\dhms.]+\s+old"


def test_while_backends_are_gone_or_refuse_the_console_works_and_says_which_and_it_comes_back(
    session: Session, doors: tuple[Door, Door]
) -> None:
    """At the end its terminal goes away, and it ends with that."""
    api, prometheus = doors
    command = session.command("-c", "far", "tui", "--screen", "workloads")
    with terminal(command, session.environment, str(session.home)) as console:
        if "maestro in ten keys" in console.await_text("ml/deploy/fraud|maestro in ten keys"):
            console.press("Escape")
        console.await_text("▸ +ml/deploy/fraud")
        go(console, "services", "fraud-availability[\\s\\S]*fraud-latency")

        api.turn(Way.SILENT)  # a network that swallows everything
        prometheus.turn(Way.CUT)
        console.await_text(stale("Prometheus"))
        go(console, "workloads", stale("Kubernetes: .* does not answer"))
        console.await_text("~ml/deploy/fraud")
        go(console, "incidents", "no incidents")
        api.turn(Way.OPEN)
        prometheus.turn(Way.OPEN)
        go(console, "workloads", "▸ +ml/deploy/fraud")
        console.await_no("! far|s old")

        api.turn(Way.DENIES)  # the token has expired
        console.await_text(stale("Kubernetes: .* does not accept the credentials"))
        go(console, "runbooks", "high-error-rate")
        api.turn(Way.OPEN)
        go(console, "workloads", "▸ +ml/deploy/fraud")
