"""The machine takes the processor away for longer than what is waited for may take.

Argument 1: async library; it is done to a hook of the stop, then to the end of the run.
"""

import os
import signal
import subprocess
import sys
import time

from ioc_ops.server.drivers import load_driver

GO_ON = "for i in 1 2 3 4 5 6 7 8; do sleep 0.5; kill -CONT {} 2>/dev/null || exit 0; done"


def lose_half_a_second() -> None:
    subprocess.Popen(["sh", "-c", GO_ON.format(os.getpid())], stdout=subprocess.DEVNULL)
    os.kill(os.getpid(), signal.SIGSTOP)
    time.sleep(0.05)  # what is still to be done


async def main() -> int:
    async def hook() -> None:
        await driver.run_in_thread(lose_half_a_second)

    return 7 if await driver.gather([hook()], 0.4) else 1


if __name__ == "__main__":
    driver = load_driver(sys.argv[1])
    close = driver._threads.close  # type: ignore[attr-defined]
    driver._threads.close = lambda: (lose_half_a_second(), close())  # type: ignore[attr-defined]
    status = driver.run(main)
    print("through")
    sys.exit(status)
