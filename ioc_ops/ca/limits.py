"""How large a message may be (EPICS_CA_MAX_ARRAY_BYTES, EPICS_CA_AUTO_ARRAY_BYTES).

EPICS Base (``caservertask.c``) allows EPICS_CA_MAX_ARRAY_BYTES for the elements of one
message and, with EPICS_CA_AUTO_ARRAY_BYTES=YES (its default since 3.16), ignores that
number and allocates whatever a header asks for. Here the cap always holds, so that no
header makes the server buffer without bound: with AUTO, the default, it is the larger of
the number and 256 MiB; with NO it is the number itself, never below 16 KiB.
"""

from collections.abc import Mapping

from ioc_ops.errors import ConfigurationError

__all__ = ["AUTO_CAP", "MINIMUM_CAP", "PREFIX_ROOM", "max_payload"]

MINIMUM_CAP = 16_384
AUTO_CAP = 1 << 28
PREFIX_ROOM = 1024
"""Room for the prefix of the largest DBR type beside the elements."""


def max_payload(environment: Mapping[str, str]) -> int:
    """Largest payload in bytes that is received or sent.

    Raises:
        ConfigurationError: EPICS_CA_MAX_ARRAY_BYTES is no number.
    """
    text = environment.get("EPICS_CA_MAX_ARRAY_BYTES", "").strip()
    try:
        asked = int(float(text)) if text else MINIMUM_CAP
    except (ValueError, OverflowError):
        raise ConfigurationError(f"EPICS_CA_MAX_ARRAY_BYTES={text!r} is no number") from None
    auto = environment.get("EPICS_CA_AUTO_ARRAY_BYTES", "").strip().upper() != "NO"
    return max(asked, AUTO_CAP if auto else MINIMUM_CAP) + PREFIX_ROOM
