"""What a terminal shows of work that takes long."""

import io
import sys

import pytest

from ioc_ops.autosave.commands.console import Console
from ioc_ops.autosave.commands.files import table


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """Seconds as they are said to be."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def work(stream: io.StringIO, seconds: float, steps: int) -> str:
    """What a work of some steps shows while it is done, the last step excepted."""
    clock = Clock()
    console = Console(io.StringIO(), stream, monotonic=clock)
    shown = ""
    with console.progress("writing", steps) as advance:
        for _ in range(steps):
            clock.now += seconds / steps
            advance()
            shown = shown or stream.getvalue()
    return shown


def test_quick_work_shows_nothing() -> None:
    assert work(Terminal(), 0.4, 10) == ""
    assert work(io.StringIO(), 4.9, 10) == ""
    assert work(Terminal(), 60.0, 1) == ""  # there is nothing left to wait for


def test_a_terminal_has_a_bar_that_goes_when_the_work_is_done() -> None:
    terminal = Terminal()
    shown = work(terminal, 2.0, 10)
    assert "writing:  30%" in shown
    assert "3/10" in shown
    last = terminal.getvalue().rsplit("\r", 2)
    assert last[-2].strip() == ""  # wiped out
    assert "\n" not in terminal.getvalue()


def test_a_log_has_a_line_now_and_then() -> None:
    log = io.StringIO()
    work(log, 20.0, 10)
    assert log.getvalue() == "writing: 3 of 10\nwriting: 6 of 10\nwriting: 9 of 10\n"


def test_a_terminal_without_tqdm_has_lines_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tqdm", None)
    terminal = Terminal()
    work(terminal, 10.0, 10)
    assert terminal.getvalue() == "writing: 1 of 10\nwriting: 6 of 10\n"


@pytest.mark.parametrize(
    ("answer", "agreed"),
    [("y\n", True), ("YES\n", True), ("n\n", False), ("\n", False), ("", False), ("yo\n", False)],
)
def test_only_a_yes_is_one(answer: str, agreed: bool) -> None:
    errors = io.StringIO()
    console = Console(io.StringIO(), errors, Terminal(answer))
    assert console.can_ask
    assert console.confirm("Write?") is agreed
    assert errors.getvalue() == "Write? [y/N] "
    assert not Console(io.StringIO(), errors, io.StringIO("y\n")).can_ask
    assert not Console(io.StringIO(), errors).can_ask


def test_a_long_name_does_not_spread_the_other_rows() -> None:
    long = "x:" + "n" * 180
    lines = table([["PV", "OLD", "NEW"], ["x:a", "1", "2"], [long, "3", "4"]]).splitlines()
    assert lines[1] == f"{'x:a':60}  1    2"
    assert lines[2] == f"{long}  3    4"
