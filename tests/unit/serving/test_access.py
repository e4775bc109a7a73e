"""Who may call what: every route for every role, keys that come and go, and the lines that tell of it."""

from __future__ import annotations

import contextlib
import hmac
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from maestro_cli.serving import options
from maestro_cli.serving.access import guard as guard_module
from maestro_cli.serving.access.audit import AUDITED
from maestro_cli.serving.access.credentials import Forbidden, Unauthenticated
from maestro_cli.serving.access.guard import Guard
from maestro_cli.serving.access.keys import KeyEntry, Keys, digest_of, key_text, new_secret, write_keys
from maestro_cli.serving.access.permissions import Permission
from maestro_cli.serving.access.roles import GRANTS, Role
from maestro_cli.serving.endpoints import all_routes
from tests.unit.serving.served import MODELS, Served, request

SECRETS = {role: new_secret() for role in Role}
MAY = {
    Role.PREDICTOR: {"predict"},
    Role.VIEWER: {"view"},
    Role.OPERATOR: {"view", "predict", "operate"},
    Role.CHAOS: {"view", "chaos"},
    Role.ADMIN: {"view", "predict", "operate", "chaos", "admin"},
}


class SetClock:
    """Time as the test says."""

    def __init__(self, now: datetime) -> None:
        self.at = now

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return 0.0

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits")


NOON = datetime(2027, 1, 1, 12, tzinfo=UTC)


def entry(key_id: str, secret: str, *roles: Role, **members: Any) -> KeyEntry:
    return KeyEntry(key_id, roles, sha256=digest_of(secret), **members)


def save(file: Path, *entries: KeyEntry) -> None:
    file.write_text(write_keys(Keys("maestro.keys/1", entries)), encoding="utf-8")


def scope(*headers: tuple[bytes, bytes], **members: Any) -> dict[str, Any]:
    return {"headers": list(headers), **members}


def sends(key: str) -> dict[str, Any]:
    return scope((b"x-api-key", key.encode()))


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Served:
    file = tmp_path_factory.mktemp("access") / "keys.yaml"
    save(file, *(entry(role, SECRETS[role], role) for role in Role))
    return Served("--keys", str(file), "--enable-faults", "--fault-journal", str(file.with_name("faults")))


def told(server: Served, method: str, path: str, headers: dict[str, str], **more: Any) -> Any:
    server.headers = headers
    return server.request(method, path, **more)


def test_the_roles_are_what_the_documentation_says() -> None:
    assert {role: {str(p) for p in GRANTS[role]} - {"open"} for role in Role} == MAY


@pytest.mark.parametrize("role", [None, *Role])
def test_every_route_lets_in_those_who_may_and_nobody_else(keyed: Served, role: Role | None) -> None:
    headers = {} if role is None else {"x-api-key": key_text(role, SECRETS[role])}
    routes = list(all_routes(keyed.application.replica))
    assert {route.permission for route in routes} >= {"open", "predict", "view", "operate", "chaos"}
    for route in routes:
        path = route.path.replace("{model}", "none").replace("{version}", "9").replace("{id}", "f")
        answer = told(keyed, route.method, path, headers, content=b"[")
        may = route.permission == "open" or (role is not None and str(route.permission) in MAY[role])
        refusal = 401 if role is None else 403
        assert (answer.status_code != refusal) is may, (role, route.method, route.path)
        if not may:
            assert str(route.permission) in answer.json()["error"]
            assert ("www-authenticate" in answer.headers) is (role is None)


def test_refusals_are_counted_by_the_key_that_is_known_and_by_nothing_that_a_caller_sends(
    tmp_path: Path,
) -> None:
    file = tmp_path / "keys.yaml"
    save(
        file,
        entry("partner", SECRETS[Role.PREDICTOR], Role.PREDICTOR),
        entry("sight", SECRETS[Role.VIEWER], Role.VIEWER),
    )
    server = Served("--keys", str(file))
    partner = {"x-api-key": key_text("partner", SECRETS[Role.PREDICTOR])}
    stranger = {"x-api-key": key_text("partner", new_secret())}
    sight = {"x-api-key": key_text("sight", SECRETS[Role.VIEWER])}

    def counted() -> list[str]:
        page = told(server, "GET", "/metrics", sight).text.splitlines()
        return sorted(line for line in page if line.startswith("maestro_access_refused_total{"))

    assert counted() == ['maestro_access_refused_total{code="401",key="_unknown"} 0.0']
    assert [told(server, "POST", "/v2/cache/clear", sent).status_code for sent in (partner, partner)] == [
        403,
        403,
    ]
    assert [told(server, "GET", "/v2/models", sent).status_code for sent in (stranger, {})] == [401, 401]
    assert counted() == [
        'maestro_access_refused_total{code="401",key="_unknown"} 2.0',
        'maestro_access_refused_total{code="403",key="partner"} 2.0',
    ]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR, Role.CHAOS, Role.ADMIN])
def test_what_a_drill_does_is_told_to_those_who_may_do_it_and_to_no_responder(
    keyed: Served, role: Role
) -> None:
    headers = {"x-api-key": key_text(role, SECRETS[role])}
    may = role in (Role.CHAOS, Role.ADMIN)
    assert (told(keyed, "GET", "/v2/faults", headers).status_code == 200) is may
    for accept in ("", "application/openmetrics-text; version=1.0.0"):
        page = told(keyed, "GET", "/metrics", {**headers, "accept": accept})
        assert page.status_code == 200
        assert ("maestro_fault_active{" in page.text) is may
        assert ("fault" in page.text) is may
        assert "maestro_model_info{" in page.text


def test_both_headers_and_any_case_of_bearer_are_read(keyed: Served) -> None:
    key = key_text("viewer", SECRETS[Role.VIEWER])
    for headers in (
        {"x-api-key": key}, {"authorization": f"Bearer {key}"}, {"authorization": f"bearer  {key} "},
        {"authorization": f"Bearer {key}", "x-api-key": key},
    ):  # fmt: skip
        assert told(keyed, "GET", "/v2/models", headers).status_code == 200


GOOD = key_text("viewer", SECRETS[Role.VIEWER]).encode()


@pytest.mark.parametrize(
    "headers",
    [
        [(b"x-api-key", b"")],
        [(b"x-api-key", GOOD[:-1])],
        [(b"x-api-key", GOOD + b"x")],
        [(b"x-api-key", GOOD + b"\x00")],
        [(b"x-api-key", b"\xff\xfe" * 2000)],
        [(b"x-api-key", GOOD.replace(b"viewer", b"admin"))],
        [(b"x-api-key", GOOD.replace(b"viewer", b"nobody"))],
        [(b"x-api-key", b"mk__" + b"a" * 43)],
        [(b"x-api-key", b"mk_viewer_" + b"a" * 100_000)],
        [(b"authorization", GOOD)],
        [(b"authorization", b"Basic dmlld2VyOg==")],
        [(b"authorization", b"Bearer")],
        [(b"authorization", b"Bearer " + GOOD + b", Bearer " + GOOD)],
        [(b"x-api-key", GOOD), (b"x-api-key", b"mk_other_" + b"a" * 43)],
        [(b"x-api-key", GOOD), (b"authorization", b"Bearer mk_other_" + b"a" * 43)],
    ],
)
def test_hostile_credentials_are_401_and_are_not_repeated(
    keyed: Served, headers: list[tuple[bytes, bytes]]
) -> None:
    with pytest.raises(Unauthenticated) as refused:
        keyed.application.replica.guard.caller(scope(*headers))
    assert refused.value.headers["www-authenticate"].startswith('Bearer realm="maestro"')
    assert not any(SECRETS[role] in refused.value.text for role in Role)
    for _, value in headers:
        assert len(value) < 8 or value.decode("latin-1") not in refused.value.text


def test_an_unknown_id_costs_as_many_comparisons_as_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    secret = new_secret()
    guard = Guard(SetClock(NOON), ())
    guard.put(
        Keys(
            "maestro.keys/1",
            (
                entry("one", secret, Role.VIEWER),
                entry("two", new_secret(), Role.VIEWER),
                entry("two", new_secret(), Role.VIEWER),
            ),
        )
    )
    counted: list[int] = []

    def compare(a: str, b: str) -> bool:
        counted[-1] += 1
        assert len(a) == len(b) == 64
        return hmac.compare_digest(a, b)

    class Counting:
        compare_digest = staticmethod(compare)

    monkeypatch.setattr(guard_module, "hmac", Counting)
    for key in (key_text("one", secret), *(key_text(name, new_secret()) for name in ("one", "two", "none"))):
        counted.append(0)
        with contextlib.suppress(Unauthenticated):
            guard.caller(sends(key))
    assert counted == [2, 2, 2, 2]


def test_a_key_holds_between_its_times_and_no_longer() -> None:
    clock, secret = SetClock(NOON), new_secret()
    guard = Guard(clock, ())
    times = {"not_before": "2027-01-01T12:00:00Z", "expires": "2027-01-01T13:00:00Z"}
    guard.put(Keys("maestro.keys/1", (entry("a", secret, Role.VIEWER, **times),)))
    for minutes, holds in ((-1, False), (0, True), (59, True), (60, False)):
        clock.at = NOON + timedelta(minutes=minutes)
        try:
            assert (guard.caller(sends(key_text("a", secret))).id, holds) == ("a", True)
        except Unauthenticated:
            assert not holds


def test_an_old_secret_and_its_successor_hold_together_until_the_old_one_ends() -> None:
    clock, old, new = SetClock(NOON), new_secret(), new_secret()
    guard = Guard(clock, ())
    ends = entry("a", old, Role.VIEWER, expires="2027-01-01T13:00:00Z")
    guard.put(Keys("maestro.keys/1", (ends, entry("a", new, Role.VIEWER))))
    assert {guard.caller(sends(key_text("a", secret))).id for secret in (old, new)} == {"a"}
    clock.at = NOON + timedelta(hours=1)
    assert guard.caller(sends(key_text("a", new))).id == "a"
    with pytest.raises(Unauthenticated):
        guard.caller(sends(key_text("a", old)))


def test_a_key_for_some_models_may_ask_for_what_names_them_alone() -> None:
    secret = new_secret()
    guard = Guard(SetClock(NOON), ())
    guard.put(Keys("maestro.keys/1", (entry("a", secret, Role.OPERATOR, models=("fraud",)),)))
    caller = guard.caller(sends(key_text("a", secret)))
    for permission in (Permission.PREDICT, Permission.VIEW, Permission.OPERATE):
        caller.require(permission, "fraud")
        for model in ("pricing", "Fraud", "", None):
            with pytest.raises(Forbidden, match=str(permission)):
                caller.require(permission, model)


def test_a_certificate_stands_for_a_key_and_a_wrong_key_is_not_made_good_by_it() -> None:
    guard = Guard(SetClock(NOON), ())
    by_name = KeyEntry("ops", (Role.OPERATOR,), certificate="ops.example")
    late = KeyEntry("late", (Role.OPERATOR,), certificate="late", expires="2027-01-01T12:00:00Z")
    guard.put(Keys("maestro.keys/1", (by_name, late)))
    assert guard.caller(scope(**{"maestro.certificate": "ops.example"})).id == "ops"
    for name in ("other", "OPS.EXAMPLE", "", "late"):
        with pytest.raises(Unauthenticated):
            guard.caller(scope(**{"maestro.certificate": name}))
    wrong = (b"x-api-key", key_text("ops", new_secret()).encode())
    with pytest.raises(Unauthenticated):
        guard.caller(scope(wrong, **{"maestro.certificate": "ops.example"}))


def test_loopback_without_keys_lets_anybody_predict_and_view_and_nothing_else() -> None:
    server = Served()
    admin, server.headers = server.headers, {}
    assert server.infer(request()).status_code == 200
    assert server.get("/metrics").status_code == 200
    refused = server.post("/v2/repository/models/fraud/unload")
    assert (refused.status_code, "permission operate" in refused.json()["error"]) == (401, True)
    assert refused.headers["www-authenticate"] == 'Bearer realm="maestro"'
    server.headers = {"x-api-key": "mk_admin_" + "a" * 43}
    assert server.infer(request()).status_code == 401  # a wrong key is told, not passed over
    server.headers = admin
    assert server.post("/v2/repository/models/fraud/unload").status_code == 200


def test_the_generated_key_is_its_owners_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    server = Served("--generate-key", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    server.headers = {"x-api-key": file.read_text(encoding="ascii").strip()}
    assert server.post("/v2/repository/models/fraud/unload").status_code == 200
    assert Served("--generate-key", str(file)).application is not server.application
    server.headers = {"x-api-key": file.read_text(encoding="ascii").strip()}
    assert server.get("/v2/models").status_code == 401  # another process, another key


def anybody(*arguments: str) -> set[str]:
    found = options.parse(["--models", str(MODELS), "--serve", "fraud=1", *arguments])
    return {str(permission) for permission in found.access.anybody}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.244.1.3", "::1", "localhost"])
def test_a_loopback_address_is_open_for_reading_until_there_are_keys(host: str, tmp_path: Path) -> None:
    assert anybody("--host", host) == {"predict", "view"}
    assert anybody("--host", host, "--keys", str(tmp_path / "k")) == set()
    assert anybody("--host", host, "--keys", str(tmp_path / "k"), "--open") == {"predict", "view"}


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "10.1.2.3", "", "example.org", "127.1", "localhost.example"]
)
def test_another_address_needs_keys_or_is_called_open(
    host: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        anybody("--host", host, "--generate-key", str(tmp_path / "own"))
    assert ended.value.code == 2
    assert "--keys" in capsys.readouterr().err
    assert anybody("--host", host, "--open") == {"predict", "view"}
    assert anybody("--host", host, "--keys", str(tmp_path / "k")) == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--tls-cert", "c"),
        ("--tls-key", "k"),
        ("--keys", "k", "--tls-client-ca", "a"),
        ("--tls-cert", "c", "--tls-key", "k", "--tls-client-ca", "a"),
    ],
)
def test_half_of_what_tls_needs_is_refused(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        anybody(*arguments)
    assert (ended.value.code, "--tls-cert" in capsys.readouterr().err) == (2, True)


ROUTING = b"schema: maestro.routing/1\nroutes: {fraud: {to: {model: fraud, version: 1}}}\n"


def test_every_write_has_one_audit_line_and_none_has_a_secret(tmp_path: Path) -> None:
    file = tmp_path / "keys.yaml"
    save(file, *(entry(role, SECRETS[role], role) for role in Role))
    server = Served("--keys", str(file))

    def audits(method: str, path: str, role: Role | None, content: bytes = b"") -> list[dict[str, Any]]:
        before = len(server.lines)
        headers = {} if role is None else {"authorization": f"Bearer {key_text(role, SECRETS[role])}"}
        told(server, method, path, headers, content=content)
        return [line for line in server.lines[before:] if line["message"] == "audit"]

    empty = server.application.replica.router.in_force.digest
    (line,) = audits("PUT", "/v2/routing", Role.OPERATOR, ROUTING)
    now = server.application.replica.router.in_force.digest
    assert {key: line[key] for key in ("who", "what", "path", "status", "before", "after")} == {
        "who": "operator", "what": "PUT /v2/routing", "path": "/v2/routing", "status": 200,
        "before": empty, "after": now,
    }  # fmt: skip
    (line,) = audits("PUT", "/v2/routing", Role.OPERATOR, b"[")
    assert (line["status"], "after" in line) == (400, False)
    (line,) = audits("PUT", "/v2/routing", Role.VIEWER, ROUTING)
    assert (line["who"], line["status"]) == ("viewer", 403)
    (line,) = audits("PUT", "/v2/routing", None, ROUTING)
    assert (line["who"], line["status"]) == ("nobody", 401)
    (line,) = audits("POST", "/v2/repository/models/fraud/load", Role.ADMIN)
    assert (line["who"], line["status"], line["permission"]) == ("admin", 200, "operate")
    assert [part.partition("=")[0] for part in line["before"].split()] == ["1"]
    assert [len(part.partition("=")[2]) for part in line["before"].split()] == [64]
    assert line["after"].startswith(line["before"] + " ")
    assert audits("GET", "/v2/routing", Role.ADMIN) == []
    log = server.log.getvalue()
    assert not any(SECRETS[role] in log or digest_of(SECRETS[role]) in log for role in Role)
    assert {"operate", "chaos", "admin"} == {str(permission) for permission in AUDITED}
