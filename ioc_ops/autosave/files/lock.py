"""One save file belongs to one IOC: a lock that the kernel frees, however its holder ends."""

import errno
import logging
import os
import socket
import time
import weakref
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from ioc_ops.autosave.files.filesystem import FileSystem
from ioc_ops.autosave.files.safewrite import reason_of
from ioc_ops.errors import AutosaveError

__all__ = ["FileLock", "InUseError"]

_RETRY_SECONDS = 0.05
# There are no locks here, and never will be: network file systems without a lock service.
_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL, errno.EBADF}
# Nor here, until somebody removes a lock file that is another user's.
_NOT_OURS = {errno.EACCES, errno.EPERM}


class InUseError(AutosaveError):
    """Somebody else has the lock."""


class FileLock:
    """A lock on a file of its own, beside the save file, in which it says who holds it.

    The file stays when the lock is given back: to delete it would let two others have "the" lock,
    one on the deleted file and one on its successor.
    """

    def __init__(
        self, path: Path, subject: Path, file_system: FileSystem, log: logging.Logger
    ) -> None:
        """Touch no disk.

        Args:
            path: of the lock file.
            subject: the file that is to have one user, for messages.
            file_system: where both are.
            log: for a lock that cannot be had, as there are none.
        """
        self._path = path
        self._subject = subject
        self._fs = file_system
        self._log = log
        self._descriptor: int | None = None
        # Whether `check` has to do anything, and why it must refuse in any case.
        self._claimed = False
        self._refusal = ""
        _locks.add(self)

    @property
    def held(self) -> bool:
        """Whether it is ours."""
        return self._descriptor is not None

    def claim(self, patience: float) -> None:
        """Take the lock if it is not ours already. Where there are no locks that is logged.

        Args:
            patience: seconds to wait for another process, which may be about to end.

        Raises:
            InUseError: it is another's; says whose, and what to do.
        """
        self._claimed, self._refusal = True, ""
        try:
            self._take(patience)
        except InUseError as error:
            self._refusal = str(error)
            raise
        except OSError as error:
            # Any other trouble is that of all files here, and tells by itself. When it has passed
            # `check` takes the lock.
            self._claimed = error.errno not in _NO_LOCKS
            if error.errno in _NO_LOCKS | _NOT_OURS:
                self._log.warning(
                    "autosave: nothing keeps another IOC off %s: cannot lock %s: %s",
                    self._subject,
                    self._path,
                    reason_of(error),
                )

    def check(self) -> None:
        """See that the lock is still ours, if it was claimed.

        The directory may have been moved away, and another made in its place: then the lock is
        taken once more, there.

        Raises:
            InUseError: it is another's.
        """
        if self._refusal:
            raise InUseError(self._refusal)
        # Storage that is in trouble will tell by itself.
        with suppress(OSError):
            if self._claimed and not self._is_in_place():
                self._close()
                self._take(0.0)

    def release(self) -> None:
        """Give the lock back if it is ours."""
        self._claimed = False
        self._close()

    __del__ = release

    def is_on(self, identity: tuple[int, int]) -> bool:
        """Whether it is ours, and on this file."""
        # Its own thread may close it at this moment.
        with suppress(OSError):
            return self._descriptor is not None and identity == self._fs.identity(self._descriptor)
        return False

    def _is_in_place(self) -> bool:
        try:
            return self.is_on(self._fs.status(self._path).identity)
        except FileNotFoundError:
            return False

    def _take(self, patience: float) -> None:
        deadline = time.monotonic() + patience
        waiting = patience <= 0
        while self._descriptor is None:
            try:
                self._descriptor = self._fs.lock(self._path)
            except BlockingIOError:
                if self._is_of_this_process():
                    raise InUseError(
                        f"{self._subject} is in use by another autosave of this IOC: "
                        "give each a file of its own"
                    ) from None
                if not waiting:
                    self._log.info(
                        "autosave: waiting for %s: %s has it", self._subject, self._holder()
                    )
                    waiting = True
                if time.monotonic() >= deadline:
                    raise InUseError(
                        f"{self._subject} is in use by another IOC ({self._holder()}): "
                        "stop that one, or give this one another file"
                    ) from None
                time.sleep(_RETRY_SECONDS)
            else:
                with suppress(OSError):  # what is in the file is for people
                    self._fs.overwrite(self._descriptor, _who_we_are().encode())

    def _is_of_this_process(self) -> bool:
        with suppress(OSError):
            identity = self._fs.status(self._path).identity
            return any(lock.is_on(identity) for lock in list(_locks))
        return False

    def _holder(self) -> str:
        try:
            text = self._fs.read(self._path)[:200].decode(errors="replace")
        except OSError:
            text = ""
        return text.partition("\n")[0].strip() or "which has left no word"

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with suppress(OSError):
                self._fs.close(descriptor)


def _who_we_are() -> str:
    now = datetime.now().isoformat(" ", "seconds")
    return f"pid {os.getpid()} on {socket.gethostname()}, since {now}\n"


_locks: weakref.WeakSet[FileLock] = weakref.WeakSet()


def _in_child() -> None:
    # A worker process that was forked must not hold the lock when its IOC is long dead. To close
    # its descriptor takes nothing from the parent.
    for lock in list(_locks):
        lock.release()


os.register_at_fork(after_in_child=_in_child)
