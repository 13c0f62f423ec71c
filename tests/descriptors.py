"""What happens to a process that has used up its file descriptors."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["no_descriptor_left"]


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """As when clients or leaks have used up all that the process may have."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.dup(0)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (taken[0] + 1, limits[1]))
    try:
        with suppress(OSError):
            while True:
                taken.append(os.dup(0))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for descriptor in taken:
            os.close(descriptor)
