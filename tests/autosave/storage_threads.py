"""Whether storage threads are at work, or in a stall of the test's: what its clock waits for."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from fake_disk import FakeDisk

from ioc_ops.autosave.files.thread import Job, StorageThread

_jobs: list[tuple[StorageThread, Job[Any]]] = []
_stalled: set[threading.Thread] = set()


def follow_storage_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take note of the work that is given to them, until the end of the test."""
    submit = StorageThread.submit

    def submit_and_note(thread: StorageThread, work: Callable[[], Any]) -> Job[Any]:
        job = submit(thread, work)
        _jobs.append((thread, job))
        return job

    _jobs.clear()
    monkeypatch.setattr(StorageThread, "submit", submit_and_note)


def storage_is_at_work() -> bool:
    """Whether one of them has something to do, and can."""
    _jobs[:] = [(thread, job) for thread, job in _jobs if not job.done]
    return any(thread._thread not in _stalled for thread, _ in _jobs)


class Stall:
    """Storage that hangs in every operation from a certain moment on, until it is freed."""

    def __init__(self, disk: FakeDisk) -> None:
        self._disk = disk
        self._lock = threading.Lock()
        self._free = threading.Event()
        self._free.set()

    def begin(self) -> None:
        self._free.clear()
        self._disk.before = lambda number, name: self._wait()

    def end(self) -> None:
        self._disk.before = lambda number, name: None
        with self._lock:
            self._free.set()
            _stalled.clear()  # at work again from here on, not when they notice

    def _wait(self) -> None:
        with self._lock:
            if self._free.is_set():
                return
            _stalled.add(threading.current_thread())
        assert self._free.wait(30)
