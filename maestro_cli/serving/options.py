"""The command line of the model server. Invariant: options that were parsed are usable."""

from __future__ import annotations

import argparse
import importlib.util
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit

from maestro_cli.serving.access.options import AccessOptions, Help, add_access, read_access
from maestro_cli.serving.models.manifest import MAX_VERSION, MODEL_NAME

MAX_DRAIN_SECONDS = 300.0
DEFAULT_TIMEOUT_SECONDS = 10.0
DEFAULT_LOAD_SECONDS = 60.0
DEFAULT_CACHE_BYTES = 16 * 2**20
DEFAULT_TRACE_RATIO = 0.1


@dataclass(frozen=True, slots=True)
class Options:
    host: str
    port: int  # 0: the system chooses
    models: Path
    serve: tuple[tuple[str, int], ...]  # (model, version)
    drain_seconds: float
    grace_seconds: float
    lazy: bool
    routing: Path | None
    memory_bytes: int | None  # of models; None: no limit
    load_seconds: float
    cache_bytes: int  # of answers; 0: none are kept
    timeout_seconds: float
    workers: int
    announce: Path | None
    otlp_endpoint: str | None  # of a collector, http or https
    trace_ratio: float  # of new traces, 0 to 1
    log_successes: float  # 0 to 1
    fault_journal: Path | None  # None: no faults for drills
    access: AccessOptions


def parse(arguments: Sequence[str]) -> Options:
    """Read the command line; a wrong one ends the process with code 2, as argparse does."""
    parser = argparse.ArgumentParser(
        prog="maestro serve",
        description="Serve ONNX models over the Open Inference Protocol v2.",
        epilog="Keys: maestro serve keys --help. Example: maestro serve --models deploy/models --lazy",
        formatter_class=Help,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default %(default)s)")
    parser.add_argument("--port", type=_port, default=8080, help="port, 0 for any (default %(default)s)")
    _add_models(parser)
    _add_memory(parser)
    _add_times(parser)
    _add_telemetry(parser)
    add_access(parser)
    _add_faults(parser)
    parser.add_argument(
        "--announce", type=_target, help="write pid, host and port to this file once listening"
    )
    found = parser.parse_args(arguments)
    _refuse_contradictions(parser, found)
    found.serve = tuple(dict.fromkeys(found.serve))
    found.access = read_access(parser, found)
    return Options(**{field.name: getattr(found, field.name) for field in fields(Options)})


def _refuse_contradictions(parser: argparse.ArgumentParser, found: argparse.Namespace) -> None:
    if not found.serve and not found.lazy:
        parser.error("name at least one version with --serve MODEL=VERSION, or give --lazy")
    if found.enable_faults != (found.fault_journal is not None):
        parser.error("--enable-faults and --fault-journal FILE go together")
    if found.enable_faults and found.keys is None and found.generate_key is None:
        parser.error("--enable-faults needs somebody who may use them: --keys FILE or --generate-key FILE")


def _add_models(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--models", type=_folder, required=True, help="folder of <model>/<version>/")
    parser.add_argument(
        "--serve", type=_served, action="append", default=[], metavar="MODEL=VERSION",
        help="a version to serve; may be repeated, the highest answers requests without a version",
    )  # fmt: skip
    parser.add_argument(
        "--lazy", action="store_true",
        help="also answer for every other version in the folder, and load it when it is asked for",
    )  # fmt: skip
    parser.add_argument(
        "--routing", type=_target, metavar="FILE",
        help="routing document to follow; what the admin API puts in force is written there",
    )  # fmt: skip


def _add_memory(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--memory-bytes", type=_memory, metavar="BYTES",
        help="memory for models; those longest unused are dropped beyond it (default: no limit)",
    )  # fmt: skip
    parser.add_argument(
        "--load-seconds", type=_timeout, default=DEFAULT_LOAD_SECONDS,
        help="longest time for loading a version; one that takes longer is refused (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--cache-bytes", type=_cache, metavar="BYTES", default=DEFAULT_CACHE_BYTES,
        help="memory for answers of deterministic models, 0 for none (default %(default)s)",
    )  # fmt: skip


def _add_times(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--drain-seconds", type=_seconds, default=2.0,
        help="on SIGTERM: how long to go on serving while not ready (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--grace-seconds", type=_seconds, default=10.0,
        help="after that: how long requests in flight may take (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--timeout-seconds", type=_timeout, default=DEFAULT_TIMEOUT_SECONDS,
        help="longest time for a request whose caller names none (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--workers", type=_workers, default=min(4, os.cpu_count() or 1),
        help="threads for runs that are not on the event loop (default %(default)s)",
    )  # fmt: skip


def _add_faults(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--enable-faults", action="store_true",
        help="let keys with the role chaos inject faults, /v2/faults; needs --fault-journal",
    )  # fmt: skip
    parser.add_argument("--fault-journal", type=_target, metavar="FILE", help="where every fault is recorded")


def _add_telemetry(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--otlp-endpoint", type=_endpoint, metavar="URL",
        help="OpenTelemetry collector to send traces to, for example http://127.0.0.1:4318",
    )  # fmt: skip
    parser.add_argument(
        "--trace-ratio", type=_ratio, metavar="RATIO", default=DEFAULT_TRACE_RATIO,
        help="share of requests without a trace of their own that is traced (default %(default)s); "
        "failures always are",
    )  # fmt: skip
    parser.add_argument(
        "--log-successes", type=_ratio, metavar="RATIO", default=0.0,
        help="share of successful requests that have a log line (default %(default)s)",
    )  # fmt: skip


def _endpoint(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username or parts.query or parts.fragment:
        raise argparse.ArgumentTypeError(
            "not a collector's URL, such as http://127.0.0.1:4318 (keys go into OTEL_EXPORTER_OTLP_HEADERS)"
        )
    if importlib.util.find_spec("opentelemetry") is None:
        raise argparse.ArgumentTypeError("opentelemetry is not installed: pip install 'maestro-cli[serving]'")
    return text


def _ratio(text: str) -> float:
    try:
        ratio = float(text)
    except ValueError:
        ratio = -1.0
    if not 0 <= ratio <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share (0 to 1)")
    return ratio


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")
    return int(text)


def _folder(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not a folder")
    return path


def _target(text: str) -> Path:
    path = Path(text)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written: {error.strerror}") from error
    return path


def _served(text: str) -> tuple[str, int]:
    name, separator, version = text.partition("=")
    if not separator or not MODEL_NAME.fullmatch(name):
        raise argparse.ArgumentTypeError(f"{text!r} is not MODEL=VERSION, for example fraud=1")
    if not (
        version.isascii() and version.isdigit() and len(version) <= 10 and 1 <= int(version) <= MAX_VERSION
    ):
        raise argparse.ArgumentTypeError(f"{version!r} is not a version (an integer from 1)")
    return name, int(version)


def _memory(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15 and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of bytes above 0")
    return int(text)


def _cache(text: str) -> int:
    return 0 if text == "0" else _memory(text)


def _workers(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= 64):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of threads (1 to 64)")
    return int(text)


def _timeout(text: str) -> float:
    seconds = _seconds(text)
    if not seconds:
        raise argparse.ArgumentTypeError("a time-out of 0 would refuse everything")
    return seconds


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_DRAIN_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds (0 to {MAX_DRAIN_SECONDS:g})")
    return seconds
