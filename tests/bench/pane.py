"""A program in a pane of tmux, and what a person sees there: both it and its peer are looked at like this.

Invariant: the clock starts before the program does and ends when the words are in the pane. tmux is asked
over one connection, so that looking costs next to nothing; it is ended by its socket.
"""

from __future__ import annotations

import re
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import psutil

from tests.bench.terminal import LONGEST_SECONDS, Failed, program

LOOK_SECONDS = 0.004
COLUMNS, LINES = 160, 50
_HIDDEN = {"TMUX", "TMUX_PANE", "NO_COLOR"}


class Pane:
    """One program, from its start; `close` ends it."""

    def __init__(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        own = {name: value for name, value in environment.items() if name not in _HIDDEN}
        own |= {"LC_ALL": "C.UTF-8", "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._tmux = [
            program("tmux"),
            "-u",
            "-L",
            f"maestro-bench-{uuid.uuid4().hex[:12]}",
            "-f",
            "/dev/null",
        ]
        idle = ["new-session", "-d", "-x", str(COLUMNS), "-y", str(LINES), "--", "sleep", "infinity"]
        subprocess.run([*self._tmux, *idle], env=own, check=True, capture_output=True, timeout=60)
        self._talk = subprocess.Popen(
            [*self._tmux, "-C", "attach-session", "-f", "no-output,ignore-size"],
            env=own,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._ask("display-message -p ready")
        self._ask("set-option -g status off")
        self._ask("set-option -g default-terminal tmux-256color")
        self._ask("set-option -g remain-on-exit on")
        quoted = " ".join(f"'{word}'" for word in words)
        self.started = time.perf_counter()
        self._ask(f"respawn-pane -k -- {quoted}")
        self.process = psutil.Process(int(self._ask("display-message -p '#{pane_pid}'")[0]))

    def _ask(self, command: str) -> list[str]:
        """The lines of tmux's answer; raises Failed for an error."""
        assert self._talk.stdin is not None
        assert self._talk.stdout is not None
        self._talk.stdin.write(command.encode() + b"\n")
        self._talk.stdin.flush()
        lines: list[str] | None = None
        while raw := self._talk.stdout.readline():
            line = raw.decode(errors="replace").rstrip("\n")
            if line.startswith("%begin "):
                mine = line.endswith(" 1")  # of this client; what attaching itself says ends with 0
                lines = [] if mine else None
            elif line.startswith("%error ") and lines is not None:
                raise Failed(f"tmux {command}: {' '.join(lines)}")
            elif line.startswith("%end ") and lines is not None:
                return lines
            elif lines is not None:
                lines.append(line)
        raise Failed(f"tmux ended at {command}")

    def text(self) -> str:
        """What is in the pane now."""
        return "\n".join(self._ask("capture-pane -p"))

    def press(self, key: str) -> None:
        """A key as tmux names it: `G`, `Down`, `Escape`."""
        self._ask(f"send-keys -- '{key}'")

    def await_text(
        self, *patterns: str, gone: str = "", since: float | None = None, every: float = LOOK_SECONDS
    ) -> float:
        """Seconds, from now or `since`, until all of these are in the pane together and `gone` is not; looked
        at `every` so many seconds."""
        began = time.perf_counter()
        started = began if since is None else since
        while True:
            shown = self.text()
            if all(re.search(one, shown) for one in patterns) and not (gone and re.search(gone, shown)):
                return time.perf_counter() - started
            if time.perf_counter() - began > LONGEST_SECONDS:
                raise Failed(f"{patterns} was not seen; the pane had\n{shown}")
            time.sleep(every)

    def cpu_seconds(self) -> float:
        """Of the program, and of all that it started."""
        used = 0.0
        for one in self._family():
            times = one.cpu_times()
            used += times.user + times.system
        return used

    def memory_mb(self) -> float:
        """Resident, of the program and all that it started."""
        return float(sum(one.memory_info().rss for one in self._family())) / 2**20

    def busy_percent(self, seconds: float) -> float:
        """Of one core, from now on."""
        before, started = self.cpu_seconds(), time.perf_counter()
        time.sleep(seconds)
        return (self.cpu_seconds() - before) / (time.perf_counter() - started) * 100

    def _family(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    def close(self) -> None:
        family = self._family() if self.process.is_running() else []
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, timeout=60, check=False)
        self._talk.wait(30)
        for stream in (self._talk.stdin, self._talk.stdout):
            if stream is not None:
                stream.close()
        for one in psutil.wait_procs(family, timeout=30)[1]:
            one.kill()


@contextmanager
def pane(words: Sequence[str], environment: Mapping[str, str]) -> Iterator[Pane]:
    opened = Pane(words, environment)
    try:
        yield opened
    finally:
        opened.close()
