"""A PV that follows the keyboard: events from outside of the IOC become monitors."""

import os
import select
import sys
import termios
import threading
import tty
from collections.abc import Callable
from typing import Self

from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    ioc_arg_parser,
    pvproperty,
    run,
)


def has_keyboard(terminal: int) -> bool:
    """Whether this is a terminal, and we are not in its background, where reading stops us."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # no terminal, or one without job control
        return os.isatty(terminal)


class Keyboard:
    """Calls a function with each key, from a thread of its own, while it is entered.

    Stands for hardware that has something to say when it likes. Where the IOC has no
    terminal, or is in its background, it stays silent.
    """

    def __init__(self, pressed: Callable[[str], None]) -> None:
        self._pressed = pressed
        self._terminal = sys.stdin.fileno()
        self._stop, self._stopped = os.pipe()
        self._thread = threading.Thread(target=self._listen, name="keyboard", daemon=True)

    def __enter__(self) -> Self:
        if not has_keyboard(self._terminal):
            print("There is no terminal to read keys from", flush=True)
            return self
        self._settings = termios.tcgetattr(self._terminal)
        tty.setcbreak(self._terminal)  # keys as they come and unseen; Ctrl+C still works
        self._thread.start()
        print("Press keys; Ctrl+C ends the IOC", flush=True)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._stopped)
        if self._thread.ident is not None:  # it was started
            self._thread.join()
            termios.tcsetattr(self._terminal, termios.TCSADRAIN, self._settings)
        os.close(self._stop)

    def _listen(self) -> None:
        while True:
            ready, _, _ = select.select([self._terminal, self._stop], [], [])
            if self._stop in ready:
                return
            for key in os.read(self._terminal, 64).decode(errors="replace"):
                print(f"pressed {key!r}", flush=True)
                self._pressed(key)


class IOInterruptIOC(PVGroup):
    """
    The last key that was pressed in the terminal of the IOC.

    Start it, watch it with camonitor io:keypress, and type in the terminal of the IOC.
    """

    keypress = pvproperty(value="", max_length=10, doc="The last key")

    @keypress.startup
    async def keypress(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """A queue brings what the thread has to the async side, whatever library that is."""
        queue = async_lib.ThreadsafeQueue()
        with Keyboard(queue.put):
            while True:
                key = await queue.async_get()
                await instance.write(key)
                print(f"{instance.name} is now {key!r}", flush=True)


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="io:", desc=IOInterruptIOC.__doc__)
    ioc = IOInterruptIOC(**ioc_options)
    run(ioc.pvdb, **run_options)
