"""What parts of the server cost its users: maestro with a part beside maestro without it, pair by pair.

Invariant: the two of a pair get the same arrivals within seconds of each other, the first of them in turn;
the servers are one program with other options. What is within noise is said by pairs of the same options.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from maestro_cli.local.certificates import ensure_pki
from maestro_cli.local.load.traffic import Arrival
from maestro_cli.serving.access.keys import KeyEntry, Keys, digest_of, key_text, new_secret, write_keys
from maestro_cli.serving.access.roles import Role
from tests.bench.figures import Figure
from tests.bench.serving.cores import on_core, server_and_load
from tests.bench.serving.distribution import Effect, effect, is_within_noise, noise
from tests.bench.serving.load import Outcome, Target, schedule, send
from tests.bench.serving.plan import Plan
from tests.bench.serving.rounds import Bench
from tests.bench.serving.subjects import Subject, echo, ours, started, with_shadow
from tests.bench.serving.traffic import MODEL, VERSION, recorded
from tests.bench.terminal import Failed, folder

SHADOW_VERSION = 2
SCRAPE_SECONDS = 1.0
TRACED_SHARE = "0.1"
SAME = "the same twice"
_WARM_SECONDS = 1.0
_SCRAPE = (
    b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/openmetrics-text; version=1.0.0\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two servers by name; `budget` says that the difference is to be within noise."""

    name: str
    without: str
    with_it: str
    budget: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """Milliseconds that the second of a pair has more than the first."""

    p50: float
    p99: float


PAIRS = (
    Pair(SAME, "plain", "again"),
    Pair(SAME, "again", "plain"),
    Pair("a shadow of every request", "routed", "shadow", budget=True),
    Pair("a shadow that sleeps", "routed", "shadow that sleeps", budget=True),
    Pair("a shadow that raises", "routed", "shadow that raises", budget=True),
    Pair("exemplars, the metrics page read each second", "plain", "exemplars"),
    Pair("traces of a tenth, exported", "plain", "traces"),
    Pair("a key", "plain", "keys"),
    Pair("TLS", "plain", "TLS"),
)


def measure_parts(plan: Plan, rate: float) -> list[Figure]:
    """The differences at a steady rate; raises Failed when a request failed."""
    server_core, load_core = server_and_load()
    traffic, right = recorded()
    with folder() as where, on_core(load_core):
        bench = Bench(plan, where, server_core, traffic, right)
        with _targets(bench, load_core) as targets:
            for target in targets.values():
                bench.arrivals(0, rate, _WARM_SECONDS, target)
            found = _cycles(bench, targets, rate)
    return _figures(found, rate)


def _cycles(bench: Bench, targets: Mapping[str, Target], rate: float) -> dict[str, list[Difference]]:
    found: dict[str, list[Difference]] = {pair.name: [] for pair in PAIRS}
    for cycle in range(bench.plan.cycles):
        first = cycle % len(PAIRS)
        for pair in (*PAIRS[first:], *PAIRS[:first]):
            seed = 1000 * cycle + PAIRS.index(pair)
            plan = schedule(seed, rate, bench.plan.slot_seconds, len(bench.traffic.bodies))
            names = [pair.without, pair.with_it]
            outcomes = {name: _slot(targets[name], plan, name) for name in names[:: -1 if cycle % 2 else 1]}
            found[pair.name].append(_difference(outcomes[pair.without], outcomes[pair.with_it]))
    return found


def _slot(target: Target, plan: Sequence[Arrival], name: str) -> Outcome:
    if name == "exemplars":
        target, plan = _scraped(target, plan)
    outcome = send(target, plan)
    if outcome.failed:
        raise Failed(f"{name}: {dict(outcome.failures)}")
    return outcome


def _scraped(target: Target, plan: Sequence[Arrival]) -> tuple[Target, list[Arrival]]:
    """The same with the metrics page asked for in the middle of every second."""
    page = len(target.requests)

    def check(number: int, answer: bytes) -> str:
        if number != page:
            return target.check(number, answer)
        return "" if answer.endswith(b"# EOF\n") and b"trace_id" in answer else "no exemplars on the page"

    ends = plan[-1].offset_seconds if plan else 0.0
    moments = [SCRAPE_SECONDS * (second + 0.5) for second in range(int(ends / SCRAPE_SECONDS) + 1)]
    scrapes = [Arrival(moment, page) for moment in moments if moment < ends]
    merged = sorted([*plan, *scrapes], key=lambda one: one.offset_seconds)
    return replace(target, requests=(*target.requests, _SCRAPE), check=check), merged


def _difference(without: Outcome, with_it: Outcome) -> Difference:
    p50, p99 = (1e3 * (with_it.at(share) - without.at(share)) for share in (0.5, 0.99))
    return Difference(p50, p99)


@contextmanager
def _targets(bench: Bench, load_core: int) -> Iterator[dict[str, Target]]:
    """Every server at once on the one core: those that nobody asks rest."""
    with ExitStack() as running:
        sink = running.enter_context(started(echo(""), bench.folder, load_core))
        key = f"x-api-key: {_write_key(bench.folder / 'keys.yaml')}"
        collector = f"http://127.0.0.1:{sink.port}"
        targets = {}
        for subject in _subjects(bench.folder, collector):
            server = running.enter_context(started(subject, bench.folder, bench.server_core))
            targets[subject.name] = bench.target(server, *([key] if subject.name == "keys" else []))
        yield targets


def _subjects(where: Path, collector: str) -> list[Subject]:
    pki = ensure_pki(where / "pki")
    both = ["--serve", f"{MODEL}={SHADOW_VERSION}", "--trace-ratio", "0", "--routing"]
    routed = [*both, str(_write_routing(where / "routed.yaml", shadow=False))]
    shadow = [*both, str(_write_routing(where / "shadow.yaml", shadow=True))]
    plain = ["--trace-ratio", "0"]
    traced = ["--trace-ratio", TRACED_SHARE]
    tls = ["--tls-cert", str(pki.certificate), "--tls-key", str(pki.key)]
    return [
        ours("plain", *plain),
        ours("again", *plain),
        ours("routed", *routed),
        ours("shadow", *shadow),
        with_shadow("shadow that sleeps", "sleeps", *shadow),
        with_shadow("shadow that raises", "raises", *shadow),
        ours("exemplars", *traced),
        ours("traces", *traced, "--otlp-endpoint", collector),
        ours("keys", *plain, "--keys", str(where / "keys.yaml")),
        ours("TLS", *plain, *tls, authority=pki.ca),
    ]


def _write_routing(file: Path, *, shadow: bool) -> Path:
    """Everything to the version that is measured; with a shadow, all of it to the other one too."""
    told = f"shadow: {{model: {MODEL}, version: {SHADOW_VERSION}, share: 1.0}}" if shadow else ""
    route = f"{{to: {{model: {MODEL}, version: {VERSION}}}{', ' if told else ''}{told}}}"
    file.write_text(f"schema: maestro.routing/1\nroutes: {{{MODEL}: {route}}}\n", encoding="utf-8")
    return file


def _write_key(file: Path) -> str:
    """A keys file with one key that may predict; the key."""
    secret = new_secret()
    entry = KeyEntry(id="bench", sha256=digest_of(secret), roles=(Role.PREDICTOR,))
    file.write_text(write_keys(Keys("maestro.keys/1", (entry,))), encoding="utf-8")
    return key_text("bench", secret)


def _figures(found: Mapping[str, Sequence[Difference]], rate: float) -> list[Figure]:
    same = found[SAME]
    reach = {"p50": noise([one.p50 for one in same]), "p99": noise([one.p99 for one in same])}
    budgets = {pair.name for pair in PAIRS if pair.budget}
    figures = []
    for name, differences in found.items():
        for share, values in (
            ("p99", [one.p99 for one in differences]),
            ("p50", [one.p50 for one in differences]),
        ):
            limit = reach[share] if name in budgets and share == "p99" else None
            figures.append(_figure(name, share, rate, values, reach[share], limit))
    return figures


def _figure(
    name: str, share: str, rate: float, values: Sequence[float], reach: float, limit: float | None
) -> Figure:
    seen: Effect = effect(values)
    told = f"{share} {_signed(seen.low)} … {_signed(seen.high)}"
    inside = is_within_noise(seen, reach)
    notes = {
        "part": name, "rate": round(rate), "low": seen.low, "high": seen.high, "noise": reach,
        "within_noise": inside,
    }  # fmt: skip
    word = "" if name == SAME else ", noise" if inside else ", seen"
    return Figure(f"  {name}: {told}{word}", "ms", tuple(values), limit, True, notes)


def _signed(value: float) -> str:
    return f"{value:+.2f}"
