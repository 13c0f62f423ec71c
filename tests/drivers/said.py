"""What an IOC says that somebody should look at."""

import re
from collections.abc import Iterable

__all__ = ["complaints"]

# asyncio in its debug mode, and curio.
SLOW = re.compile(r"^\[W [^]]*\] (Executing <.* took |.*Operation completed success.* took longer)")


def complaints(lines: Iterable[str]) -> list[str]:
    """What is no [I]nformation, nor a library's word on a machine that had other things to do."""
    return [line for line in lines if not line.startswith("[I ") and not SLOW.match(line)]
