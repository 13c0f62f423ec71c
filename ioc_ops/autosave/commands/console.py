"""The terminal of a command: where results, errors and progress go, and who answers questions."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, TextIO

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["Console"]

_DELAY = 0.5
"""Seconds before there is a bar: what is quicker needs none."""
_LINE_PERIOD = 5.0
"""Seconds between two lines where no bar can be drawn."""


@dataclass(frozen=True, slots=True)
class Console:
    """What a command may use of the world around it."""

    #: For results.
    out: TextIO
    #: For progress, questions, and the one line of an error.
    errors: TextIO
    #: Where answers come from; None: nobody can be asked.
    answers: TextIO | None = None
    #: Unix time.
    clock: Callable[[], float] = time.time
    #: Seconds of a clock that never goes back, for progress.
    monotonic: Callable[[], float] = time.monotonic

    @property
    def can_ask(self) -> bool:
        """Whether somebody sits at a terminal."""
        return self.answers is not None and self.answers.isatty()

    def confirm(self, question: str) -> bool:
        """Ask, and wait for an answer."""
        try:
            self.errors.write(f"{question} [y/N] ")
            self.errors.flush()
            answer = self.answers.readline() if self.answers is not None else ""
        except KeyboardInterrupt:
            self.errors.write("\n")
            raise
        return answer.strip().lower() in ("y", "yes")

    @contextmanager
    def progress(self, label: str, total: int, unit: str = "PV") -> Iterator[Callable[[], None]]:
        """Show how far a long work is: a bar on a terminal, else a line now and then.

        Args:
            label: what is being done.
            total: steps that it has.
            unit: of what.

        Returns:
            To be called after each step.
        """
        work = _Progress(self, label, total, unit)
        try:
            yield work.advance
        finally:
            work.close()


class _Progress:
    """How far a work is; nothing is drawn before it has turned out to be long."""

    def __init__(self, console: Console, label: str, total: int, unit: str) -> None:
        self.console, self.label, self.total, self.unit = console, label, total, unit
        self.done = 0
        self.bar: tqdm[NoReturn] | None = None
        self.terminal = console.errors.isatty()
        self.due = console.monotonic() + (_DELAY if self.terminal else _LINE_PERIOD)

    def advance(self) -> None:
        self.done += 1
        if self.bar is not None:
            self.bar.update()
            return
        now = self.console.monotonic()
        if now < self.due or self.done >= self.total:
            return
        self.due = now + _LINE_PERIOD
        self.bar = self._new_bar() if self.terminal else None
        if self.bar is None:
            self.console.errors.write(f"{self.label}: {self.done} of {self.total}\n")
            self.console.errors.flush()

    def _new_bar(self) -> "tqdm[NoReturn] | None":
        try:
            from tqdm import tqdm
        except ImportError:  # the extra `cli`
            return None
        tqdm.monitor_interval = 0  # its thread would outlive the bar
        return tqdm(
            total=self.total,
            initial=self.done,
            desc=self.label,
            unit=self.unit,
            file=self.console.errors,
            leave=False,
            dynamic_ncols=True,
        )

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
