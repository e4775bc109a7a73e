"""What is said to a person and asked of one, in lines.

Invariant: every text is made visible; one line is read at a time, by the thread that holds the session; a
question that cannot be asked any more has no answer, and no answer is no.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TextIO

from maestro_cli.core.cancellation import Cancellation
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
        """The next line; None at the end of input and from then on. Ctrl-C is an empty line."""
        if self.is_over:
            return None
        with self._lock:
            self._out.write(prompt)
            self._out.flush()
        try:
            line = self._source.readline(LONGEST_LINE)
        except KeyboardInterrupt:
            self.say("\nquit leaves the console")
            return ""
        if not line:
            self.is_over = True
            self.say("")
            return None
        return line.strip()

    def ask(self, question: str) -> str | None:
        """Have the session ask while it waits for the work of this thread; None for no answer."""
        answer: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._asked.put((f"{visible(question, 400)} ", answer))
        return answer.get()

    def serve(self, name: str, work: Callable[[], None], cancellation: Cancellation) -> None:
        """Do work in a thread of its own and ask what that asks; Ctrl-C cancels it."""
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        while thread.is_alive():
            try:
                question, answer = self._asked.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                continue
            except KeyboardInterrupt:
                self.say("\ncancelling; what was begun is told by: changes")
                cancellation.cancel()
                continue
            answer.put(None if cancellation.is_set else self.read(question))
