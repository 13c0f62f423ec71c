"""io_interrupt reads the keys of a terminal."""

import os
import signal
import sys
import termios
from collections.abc import Iterator
from typing import Any

import pytest

# The terminal becomes standard input and controls the process, as in a shell.
IN_TERMINAL = """
import os, sys
os.setsid()
os.dup2(os.open(sys.argv[1], os.O_RDWR), 0)
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""
LOCAL_FLAGS = 3


class Terminal:
    """A pseudo terminal: what is typed here is read there."""

    def __init__(self) -> None:
        self.keyboard, self.screen = os.openpty()
        self.path = os.ttyname(self.screen)

    def type(self, text: str) -> None:
        os.write(self.keyboard, text.encode())

    @property
    def shows_keys(self) -> bool:
        flags: int = termios.tcgetattr(self.screen)[LOCAL_FLAGS]
        return flags & (termios.ECHO | termios.ICANON) == termios.ECHO | termios.ICANON


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    os.close(made.keyboard)
    os.close(made.screen)


def test_keys_become_values(
    start_ioc: Any, caproto_client: Any, terminal: Terminal, library: str
) -> None:
    assert terminal.shows_keys
    module = ["-m", "ioc_ops.examples.io_interrupt", "--async-lib", library]
    ioc = start_ioc([sys.executable, "-c", IN_TERMINAL, terminal.path, *module])
    ioc.prints("Press keys")
    assert not terminal.shows_keys

    client = caproto_client
    client("connect", "io:keypress")
    client("monitor", "io:keypress")
    assert client.next_value("io:keypress") == []
    for key in "abd":
        terminal.type(key)
        assert client.next_value("io:keypress") == [ord(key)]
    terminal.type("xyz")
    assert [client.next_value("io:keypress") for _ in "xyz"] == [[ord(key)] for key in "xyz"]
    assert ioc.prints("io:keypress is now 'z'")

    ioc.stop()
    assert terminal.shows_keys


def test_ctrl_c_still_ends_it(start_ioc: Any, terminal: Terminal) -> None:
    module = ["-m", "ioc_ops.examples.io_interrupt"]
    ioc = start_ioc([sys.executable, "-c", IN_TERMINAL, terminal.path, *module])
    ioc.prints("Press keys")
    terminal.type("\x03")
    assert ioc.wait(20) == 0
    assert terminal.shows_keys


def test_without_a_terminal_it_serves_all_the_same(example: Any, caproto_client: Any) -> None:
    ioc = example("io_interrupt")
    ioc.prints("no terminal")
    client = caproto_client
    client("connect", "io:keypress")
    client.put("io:keypress", [65, 66])
    assert client.value("io:keypress") == [65, 66]
    ioc.stop(signal.SIGINT)
