"""UDP: search requests and replies, beacons.

EPICS Base ``cast_server.c``, ``caserverio.c`` and ``online_notify.c``.
"""

from collections.abc import Iterable
from typing import NamedTuple

from ioc_ops.ca.commands import MINIMUM_MINOR, MINOR_VERSION, Command
from ioc_ops.ca.header import HEADER, pack_header
from ioc_ops.errors import ProtocolError

__all__ = [
    "Beacon",
    "SearchRequest",
    "pack_beacon",
    "pack_search_replies",
    "pack_search_request",
    "parse_beacon",
    "parse_search_replies",
    "parse_search_requests",
]

_unpack = HEADER.unpack_from
_pack = HEADER.pack
_ANY = 0xFFFFFFFF
"""In place of a server address: take the sender's."""

_REPLY_VERSION = MINOR_VERSION.to_bytes(2, "big") + bytes(6)
_VERSION_REPLY = _pack(Command.VERSION, 0, 0, MINOR_VERSION, 0, 0)


class SearchRequest(NamedTuple):
    """One name that a client looks for; ``cid`` is the client's handle on the answer."""

    name: bytes
    cid: int
    reply: int = 5
    minor: int = MINOR_VERSION


class Beacon(NamedTuple):
    """What a server says of itself; address 0 means the sender's."""

    port: int
    sequence: int
    address: int = 0


def parse_search_requests(datagram: bytes) -> tuple[list[SearchRequest], bytes]:
    """The names a datagram asks for, and the version message a reply must open with.

    Reading stops at the first message that is none of VERSION and SEARCH, or that is cut,
    as in EPICS Base: what came before it is answered.
    """
    requests: list[SearchRequest] = []
    opening = _VERSION_REPLY
    offset, end = 0, len(datagram)
    while end - offset >= 16:
        command, size, data_type, count, parameter1, parameter2 = _unpack(datagram, offset)
        body = offset + 16
        offset = body + size
        if offset > end:
            break
        if command == Command.SEARCH:
            if count < MINIMUM_MINOR:
                break
            name = datagram[body:offset].split(b"\0", 1)[0]
            if name:
                requests.append(SearchRequest(name, parameter2, data_type, count))
        elif command == Command.VERSION:
            # From 4.11 a client numbers its requests and the reply echoes the number.
            if count >= 11:
                opening = _pack(Command.VERSION, 0, 1, MINOR_VERSION, parameter1, 0)
        else:
            break
    return requests, opening


def pack_search_replies(cids: Iterable[int], port: int, opening: bytes = _VERSION_REPLY) -> bytes:
    """One datagram that answers all ``cids`` with the TCP port of this server."""
    search, parts = int(Command.SEARCH), [opening]
    for cid in cids:
        parts.append(_pack(search, 8, port, 0, _ANY, cid))
        parts.append(_REPLY_VERSION)
    return b"".join(parts)


def pack_search_request(requests: Iterable[SearchRequest]) -> bytes:
    """A client's datagram: version, then one message a name."""
    parts = [_VERSION_REPLY]
    for request in requests:
        payload = request.name + bytes(8 - len(request.name) % 8)
        parts.append(
            pack_header(
                Command.SEARCH, len(payload), request.reply, request.minor, request.cid, request.cid
            )
        )
        parts.append(payload)
    return b"".join(parts)


def parse_search_replies(datagram: bytes) -> list[tuple[int, int]]:
    """The (cid, TCP port) pairs of a server's reply.

    Raises:
        ProtocolError: the datagram is cut or holds another message.
    """
    found, offset = [], 0
    while offset < len(datagram):
        if len(datagram) - offset < 16:
            raise ProtocolError("datagram is cut inside a header")
        command, size, data_type, _, _, parameter2 = _unpack(datagram, offset)
        offset += 16 + size
        if offset > len(datagram):
            raise ProtocolError("datagram is cut inside a payload")
        if command == Command.SEARCH:
            found.append((parameter2, data_type))
        elif command != Command.VERSION:
            raise ProtocolError(f"command {command} in a search reply")
    return found


def pack_beacon(beacon: Beacon) -> bytes:
    """RSRV_IS_UP; sequence numbers wrap at 2**32."""
    return _pack(
        Command.RSRV_IS_UP,
        0,
        MINOR_VERSION,
        beacon.port,
        beacon.sequence & 0xFFFFFFFF,
        beacon.address,
    )


def parse_beacon(datagram: bytes) -> Beacon:
    """Raises ProtocolError when the datagram is no beacon."""
    if len(datagram) < 16:
        raise ProtocolError(f"a datagram of {len(datagram)} bytes is no beacon")
    command, _, _, port, sequence, address = _unpack(datagram)
    if command != Command.RSRV_IS_UP:
        raise ProtocolError(f"command {command} is no beacon")
    return Beacon(port, sequence, address)
