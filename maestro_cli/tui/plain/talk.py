"""What is said to a person and asked of one, in lines.

Invariant: every text is made visible; one line is read at a time, by the thread that holds the session; a
question that cannot be asked any more has no answer, and no answer is no. Ctrl-C ends nothing but what is
being done; who is told to end, or has no reader any more, leaves no work behind that was not told to stop.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from itertools import chain, repeat
from typing import TextIO

from maestro_cli.core.cancellation import Cancellation
from maestro_cli.core.errors import Interrupted
from maestro_cli.core.untrusted import visible, visible_block
from maestro_cli.output.views import View
from maestro_cli.output.writer import OutputOptions, emit

PROMPT = "maestro> "
LOOK_SECONDS = 0.2  # how soon it is noticed that what was asked for has ended
LONGEST_LINE = 10_000


class Talk:
    """Lines in and out; `ask` may be called by the thread of an action while `serve` waits for that."""

    def __init__(self, source: TextIO, out: TextIO) -> None:
        self._source, self._out = source, out
        self._lock = threading.Lock()
        self._asked: queue.SimpleQueue[tuple[str, queue.SimpleQueue[str | None]]] = queue.SimpleQueue()
        self.is_over = False

    def say(self, text: str) -> None:
        """Whole lines; from any thread."""
        with self._lock:
            self._out.write(visible_block(text) + "\n")
            self._out.flush()

    def show(self, view: View) -> None:
        with self._lock:
            emit(view, OutputOptions(is_plain=True), self._out)

    def read(self, prompt: str = PROMPT) -> str | None:
        """The next line; None at the end of input and from then on. Ctrl-C is an empty line.

        Raises Interrupted when told to end.
        """
        try:
            return self._line(prompt)
        except Interrupted as told:
            if told.is_to_end:
                raise
        self.say("\nquit leaves the console")
        return ""

    def _line(self, prompt: str) -> str | None:
        """As `read`; raises Interrupted for Ctrl-C, too."""
        if self.is_over:
            return None
        with self._lock:
            self._out.write(prompt)
            self._out.flush()
        line = self._source.readline(LONGEST_LINE)
        if not line:
            self.is_over = True
            self.say("")
            return None
        return line.strip()

    def ask(self, question: str) -> str | None:
        """Have the session ask while it waits for the work of this thread; None for no answer."""
        answer: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._asked.put((f"{visible(question, 400)} ", answer))
        while True:
            try:
                return answer.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                if self.is_over:
                    return None

    def serve(
        self,
        name: str,
        work: Callable[[], None],
        cancellation: Cancellation,
        begin: Callable[[threading.Thread], None] = threading.Thread.start,
    ) -> None:
        """Do work in a thread of its own, which `begin` starts, and ask what that asks; Ctrl-C cancels it.

        Raises what the work raised; at once, with the work cancelled, where nobody can be asked any more.
        """
        faults: list[Exception] = []

        def run() -> None:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - the border of the thread: raised where it is waited for
                faults.append(error)

        thread = threading.Thread(target=run, name=name, daemon=True)
        steps = chain((lambda: begin(thread),), repeat(lambda: self._answer_next(cancellation)))
        try:
            for step in steps:
                self._taken(step, cancellation)
                if thread not in threading.enumerate():  # which has those that only just begin, too
                    break
        except BaseException:
            self.is_over = True
            cancellation.cancel()
            raise
        if faults:
            raise faults[0]

    def _taken(self, step: Callable[[], None], cancellation: Cancellation) -> None:
        """A step on the way to the end of the work, which Ctrl-C cancels."""
        try:
            step()
        except Interrupted as told:
            if told.is_to_end:
                raise
            cancellation.cancel()
            self.say("\ncancelling; what was begun is told by: changes")

    def _answer_next(self, cancellation: Cancellation) -> None:
        """Ctrl-C is no answer, whatever an empty line would be."""
        try:
            question, answer = self._asked.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            return
        said = None
        try:
            said = None if cancellation.is_set else self._line(question)
        finally:
            answer.put(said)
