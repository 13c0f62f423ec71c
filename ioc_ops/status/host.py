"""The machine and the process as the probe asks for them.

``Host`` is the seam: the probe knows no operating system, tests bring a machine of their own.
Every call may block or raise, so the probe asks from a worker thread and bears each failure.
"""

import os
import platform
import resource
import socket
import sys
import time
from pathlib import Path
from typing import Protocol

import psutil

import ioc_ops

__all__ = ["Host", "LocalHost"]


class Host(Protocol):
    """What the status readings need to know. Times are seconds, sizes bytes."""

    def hostname(self) -> str: ...
    def kernel(self) -> str: ...
    def cpus(self) -> int: ...
    def process_id(self) -> int: ...
    def parent_id(self) -> int: ...
    def directory(self) -> str: ...
    def source_file(self) -> str: ...
    def release(self) -> str: ...
    def python(self) -> str: ...
    def monotonic(self) -> float: ...
    def system_busy(self) -> float: ...
    def process_busy(self) -> float: ...
    def resident(self) -> int: ...
    def memory_available(self) -> int: ...
    def memory_total(self) -> int: ...
    def descriptors(self) -> int: ...
    def descriptor_limit(self) -> int: ...
    def threads(self) -> int: ...


class LocalHost:
    """This machine and this process, through psutil and the standard library."""

    def __init__(self) -> None:
        self._process = psutil.Process()

    def hostname(self) -> str:
        return socket.gethostname()

    def kernel(self) -> str:
        """``"sysname release machine"``, as devIocStats/os/posix/osdSystemInfo.c has it."""
        system = platform.uname()
        return f"{system.system} {system.release} {system.machine}"

    def cpus(self) -> int:
        return psutil.cpu_count() or 1

    def process_id(self) -> int:
        return os.getpid()

    def parent_id(self) -> int:
        return os.getppid()

    def directory(self) -> str:
        return os.getcwd()

    def source_file(self) -> str:
        return str(Path(sys.argv[0]).resolve()) if sys.argv and sys.argv[0] else ""

    def release(self) -> str:
        return f"ioc_ops {ioc_ops.__version__}"

    def python(self) -> str:
        return platform.python_version()

    def monotonic(self) -> float:
        return time.monotonic()

    def system_busy(self) -> float:
        """CPU seconds of all CPUs that iocStats counts: user, nice and system."""
        times = psutil.cpu_times()
        return float(times.user + times.nice + times.system)

    def process_busy(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def resident(self) -> int:
        return int(self._process.memory_info().rss)

    def memory_available(self) -> int:
        """MemAvailable: what can be had without swapping.

        iocStats adds up MemFree, Buffers and Cached, which counts tmpfs as free
        (epics-modules/iocStats#24).
        """
        return int(psutil.virtual_memory().available)

    def memory_total(self) -> int:
        return int(psutil.virtual_memory().total)

    def descriptors(self) -> int:
        """Open descriptors, without the one that listing them needs."""
        return int(self._process.num_fds()) - 1

    def descriptor_limit(self) -> int:
        """The soft RLIMIT_NOFILE, 0 if there is none."""
        soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        return 0 if soft == resource.RLIM_INFINITY else soft

    def threads(self) -> int:
        return int(self._process.num_threads())
