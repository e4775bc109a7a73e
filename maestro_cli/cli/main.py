"""The command line's frame: global options, signals, and the one border where errors become codes."""

from __future__ import annotations

import errno
import gc
import io
import os
import signal
import sys
from collections.abc import Sequence
from traceback import walk_tb
from typing import Annotated, Any, TextIO

import typer
import typer.exceptions
import typer.main

from maestro_cli import __version__
from maestro_cli.cli.coercion import spare_validation
from maestro_cli.cli.lazy import LazyGroup

_COMPLETE = "_MAESTRO_COMPLETE"
_COMPLETION = ("--show-completion", "--install-completion")
GC_OBJECTS = 20_000

app = typer.Typer(
    cls=LazyGroup,
    name="maestro",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: maestro help exit-codes. Start with: maestro drill run bad-release",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from maestro_cli.output.writer import emit_text

        emit_text(f"maestro {__version__}")
        raise typer.Exit


def _show_completion(shell: str | None) -> None:
    if shell is not None:
        from maestro_cli.cli.completion import script
        from maestro_cli.output.writer import emit_text

        emit_text(script(shell))
        raise typer.Exit


def _install_completion(shell: str | None) -> None:
    if shell is not None:
        from maestro_cli.cli.completion import install
        from maestro_cli.output.writer import emit_text

        emit_text(f"{install(shell)}; completion works in a new shell")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    context: Annotated[
        str | None,
        typer.Option("--context", "-c", metavar="NAME", help="The context to work against."),
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Refuse every change, whatever else allows it.")
    ] = False,
    is_plain: Annotated[
        bool, typer.Option("--plain", help="No boxes, no colour, no redraw: for scripts and screen readers.")
    ] = False,
    _version: Annotated[
        bool,
        typer.Option("--version", "-V", is_eager=True, callback=_show_version, help="Print the version."),
    ] = False,
    _shown: Annotated[
        str | None,
        typer.Option(
            "--show-completion",
            metavar="[SHELL]",
            is_eager=True,
            callback=_show_completion,
            help="Print the completion script of bash, zsh or fish; by default of this shell.",
        ),
    ] = None,
    _installed: Annotated[
        str | None,
        typer.Option(
            "--install-completion",
            metavar="[SHELL]",
            is_eager=True,
            callback=_install_completion,
            help="Install that script where the shell finds it.",
        ),
    ] = None,
) -> None:
    """From the page to the post-mortem: respond to incidents of production ML platforms."""
    if ctx.resilient_parsing:
        return
    from maestro_cli.cli.signals import Signals
    from maestro_cli.services import GlobalOptions, Services

    options = GlobalOptions(context=context, is_read_only=read_only, is_plain=is_plain)
    ctx.obj = ctx.with_resource(Services(options, Signals()))


def run(arguments: Sequence[str]) -> int:
    """Parse and run; every error ends here as three lines and an exit code."""
    # A long list is many small objects and no cycles: to look for some after each 700 costs a tenth.
    gc.set_threshold(GC_OBJECTS)
    spare_validation()
    if os.environ.get(_COMPLETE, "").startswith("source_"):
        arguments = ["--show-completion", os.environ.pop(_COMPLETE).removeprefix("source_")]
    elif _COMPLETE in os.environ:
        _complete_without_rich()
    from maestro_cli.core.errors import ExitCode, Interrupted

    _prepare_streams()
    try:
        result = typer.main.get_command(app).main(
            args=hoist_global_options(arguments), prog_name="maestro", standalone_mode=False
        )
        sys.stdout.flush()
        return int(result) if isinstance(result, int) else int(ExitCode.OK)
    except typer.exceptions.Abort:
        return _report(Interrupted())
    except typer.exceptions.TyperException as error:
        return _usage(error)
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # the parser library turned it into exit 1
            return _end_by_broken_pipe()
        raise
    except BrokenPipeError:
        return _end_by_broken_pipe()
    except KeyboardInterrupt:
        return _report(Interrupted())
    except OSError as error:
        return _report(_refused_output(error) if _is_of_output(error) else error)
    except Exception as error:  # noqa: BLE001 - the border: whatever it is, the user gets three lines
        return _report(error)
    finally:
        _forget_unwritable_output()


def _prepare_streams() -> None:
    """Output is UTF-8 whatever the locale says, and a closed descriptor is not an error of ours."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # started with `>&-`
            setattr(sys, name, _nowhere())
        elif isinstance(stream, io.TextIOWrapper):
            if name == "stdout" and isinstance(stream.buffer, io.RawIOBase):
                stream = _whole(stream)
                setattr(sys, name, stream)
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _whole(stream: TextIO) -> io.TextIOWrapper:
    """The same, line by line, that writes all or fails: what PYTHONUNBUFFERED gives writes what has room."""
    return io.TextIOWrapper(
        io.BufferedWriter(io.FileIO(stream.fileno(), "wb", closefd=False)), line_buffering=True
    )


def _is_of_output(error: OSError) -> bool:
    """Writing help goes through the parser library; a file of ours would have its name in the error."""
    return error.filename is None and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def _refused_output(error: OSError) -> Exception:
    from maestro_cli.output.writer import output_error

    return output_error(error)


def _nowhere() -> TextIO:
    """A stream that lives as long as the process."""
    return open(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8", closefd=False)


def _end_by_broken_pipe() -> int:
    """Die as every Unix filter does when its reader has gone: by SIGPIPE, which shells show as 141."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGPIPE)
    return 128 + signal.SIGPIPE  # only where the signal is blocked


def _forget_unwritable_output() -> None:
    """What a full disk or a terminal that has gone refused is lost already; without this Python would fail
    again at its exit.
    """
    for name in ("stdout", "stderr"):
        try:
            getattr(sys, name).flush()
        except (OSError, ValueError):
            setattr(sys, name, _nowhere())


def hoist_global_options(arguments: Sequence[str]) -> list[str]:
    """Move `--context NAME`, `--read-only` and `--plain`, wherever before `--`, to the front.

    `--show-completion` and `--install-completion` get the value that may be left out.
    """
    front: list[str] = []
    rest: list[str] = []
    remaining = list(arguments)
    while remaining:
        word = remaining.pop(0)
        if word == "--":
            rest += [word, *remaining]
            break
        if word in ("--read-only", "--plain") or word.startswith("--context="):
            front.append(word)
        elif word == "--context" and remaining:
            front += [word, remaining.pop(0)]
        elif word in _COMPLETION and not (remaining and remaining[0][:1] not in ("", "-")):
            rest += [word, "auto"]
        else:
            rest.append(word)
    return front + rest


def _report(error: BaseException) -> int:
    from maestro_cli.output.diagnostics import report

    return int(report(error))


def _usage(error: Any) -> int:
    from maestro_cli.core.errors import UsageError

    if type(error).__name__ == "NoArgsIsHelpError":  # a group without a command: its help is the answer
        sys.stderr.write(error.message + "\n")
        return int(UsageError.exit_code)
    context = _context_of(error)
    path = context.command_path if context is not None else "maestro"
    usage = context.get_usage() if context is not None else "Usage: maestro [OPTIONS] COMMAND [ARGS]..."
    shape = " ".join(usage.removeprefix("Usage: ").split())
    return _report(
        UsageError(error.format_message().rstrip("."), why=f"the command is: {shape}", fix=f"{path} --help")
    )


def _context_of(error: Any) -> Any:
    """The command that was parsed, also where the parser library forgot to say (an option without value)."""
    found = getattr(error, "ctx", None)
    if found is not None:
        return found
    for frame, _ in walk_tb(error.__traceback__):
        context = frame.f_locals.get("ctx")
        found = context if hasattr(context, "command_path") else found
    return found


def _complete_without_rich() -> None:
    """Typer renders help through Rich (40 ms a key press) only to strip markup that we never write."""
    from typer import _completion_classes

    _completion_classes.completion_init()
    _completion_classes._sanitize_help_text = str  # type: ignore[assignment]
