"""Requests about the circuit and its channels: version, names, search, create, clear.

Each mirrors its namesake in EPICS Base ``rsrv/camessage.c``.
"""

from typing import TYPE_CHECKING

from ioc_ops.ca import PRIORITY_MAX, Command, Eca, pack_header
from ioc_ops.ca.commands import DO_REPLY
from ioc_ops.ca.header import HEADER
from ioc_ops.channel import Payload
from ioc_ops.server.channels import ServerChannel

if TYPE_CHECKING:
    from ioc_ops.server.circuit import Circuit
    from ioc_ops.server.dispatch import Handler

__all__ = [
    "NO_ID",
    "bad_id",
    "clear_channel",
    "client_name",
    "create_channel",
    "echo",
    "host_name",
    "not_for_servers",
    "read_sync",
    "search",
    "too_large",
    "update_access",
    "version",
]

NO_ID = 0xFFFFFFFF
_LONGEST_NAME = 512
_LARGE_ARRAYS = 9  # minor version whose headers have room for more than 65534
_pack = HEADER.pack


def _speak(circuit: "Circuit", minor: int) -> None:
    """The client has said which version it speaks, and so what it can be told."""
    circuit.minor = minor
    most = circuit.context.max_payload
    circuit.largest_answer = most if minor >= _LARGE_ARRAYS else min(most, 0xFFF8)


def too_large(circuit: "Circuit") -> Eca:
    """What is wrong with a request for more than the client can be sent."""
    return Eca.TOLARGE if circuit.minor >= _LARGE_ARRAYS else Eca.ARRAY16KCLIENT


def version(
    circuit: "Circuit", priority: int, minor: int, p1: int, p2: int, payload: Payload
) -> bool:
    """The client's protocol and priority; the priority has no meaning here."""
    if priority > PRIORITY_MAX:
        circuit.refuse(f"priority {priority}")
        return True
    _speak(circuit, minor)
    return False


def echo(
    circuit: "Circuit", data_type: int, count: int, p1: int, p2: int, payload: Payload
) -> bool:
    """A sign of life, returned as it came."""
    circuit.answer(Command.ECHO, data_type, payload, count, p1, p2)
    return False


def read_sync(
    circuit: "Circuit", data_type: int, count: int, p1: int, p2: int, payload: Payload
) -> bool:
    """Old clients wait for this to know that all before it was answered."""
    circuit.answer(Command.READ_SYNC, data_type, b"", count, p1, p2)
    return False


def client_name(
    circuit: "Circuit", data_type: int, count: int, p1: int, p2: int, payload: Payload
) -> bool:
    """The account of the client's user."""
    name = _peer_name(
        circuit, (Command.CLIENT_NAME, len(payload), data_type, count, p1, p2), payload
    )
    circuit.user = circuit.user if name is None else name
    return False


def host_name(
    circuit: "Circuit", data_type: int, count: int, p1: int, p2: int, payload: Payload
) -> bool:
    """What the client's host calls itself."""
    name = _peer_name(circuit, (Command.HOST_NAME, len(payload), data_type, count, p1, p2), payload)
    circuit.client_host = circuit.client_host if name is None else name
    return False


def _peer_name(
    circuit: "Circuit", request: tuple[int, int, int, int, int, int], payload: Payload
) -> str | None:
    raw = bytes(payload).split(b"\0", 1)[0]
    if circuit.channels:
        why = "names are ignored after the first channel"
    elif len(raw) >= min(_LONGEST_NAME, len(payload)):
        why = "the name is empty, too long or not terminated"
    else:
        return raw.decode("utf-8", "replace")
    circuit.error(request, Eca.INTERNAL, NO_ID, why)
    return None


def _pv_name(payload: Payload) -> str:
    return bytes(payload).split(b"\0", 1)[0].decode("utf-8", "replace")


def search(circuit: "Circuit", reply: int, minor: int, p1: int, cid: int, payload: Payload) -> bool:
    """A search over TCP (EPICS_CA_NAME_SERVERS)."""
    circuit.counters.searches += 1
    if circuit.context.has(_pv_name(payload)):
        circuit.counters.search_hits += 1
        circuit.answer(Command.SEARCH, circuit.context.port, b"", 0, NO_ID, cid)
    elif reply == DO_REPLY:
        circuit.answer(Command.NOT_FOUND, reply, b"", minor, p1, cid)
    return False


def create_channel(
    circuit: "Circuit", data_type: int, count: int, cid: int, minor: int, payload: Payload
) -> bool:
    """A client connects to a PV: rights, then type and length, or CREATE_CH_FAIL."""
    _speak(circuit, minor)
    channel = circuit.context.find(_pv_name(payload))
    if channel is None:
        circuit.out.append(_pack(Command.CREATE_CH_FAIL, 0, 0, 0, cid, 0))
        circuit.sent[Command.CREATE_CH_FAIL] += 1
        return False
    rights, trapped = circuit.context.access.decide(channel, circuit)
    sid = circuit.next_sid
    circuit.next_sid += 1
    circuit.channels[sid] = ServerChannel(channel, cid, sid, rights, trapped)
    native, length = channel.shown_as
    if length >= 0xFFFF and circuit.minor < _LARGE_ARRAYS:
        length = 0xFFFE  # as much as such a client can be told
    circuit.out.append(_pack(Command.ACCESS_RIGHTS, 0, 0, 0, cid, rights))
    circuit.out.append(pack_header(Command.CREATE_CHAN, 0, native, length, cid, sid))
    circuit.sent[Command.ACCESS_RIGHTS] += 1
    circuit.sent[Command.CREATE_CHAN] += 1
    return False


def clear_channel(
    circuit: "Circuit", data_type: int, count: int, sid: int, cid: int, payload: Payload
) -> bool:
    """A client leaves a PV; its subscriptions end with it."""
    server_channel = circuit.channels.pop(sid, None)
    if server_channel is None:
        return bad_id(circuit, (Command.CLEAR_CHANNEL, len(payload), data_type, count, sid, cid))
    circuit.drop_all(server_channel)
    circuit.forget_reads()
    circuit.answer(Command.CLEAR_CHANNEL, data_type, b"", count, sid, cid)
    return False


def not_for_servers(command: Command) -> "Handler":
    """What answers a command that no client sends over TCP."""

    def refuse(
        circuit: "Circuit", data_type: int, count: int, p1: int, p2: int, payload: Payload
    ) -> bool:
        request = (command, len(payload), data_type, count, p1, p2)
        circuit.error(request, Eca.INTERNAL, NO_ID, "a command that is not for servers")
        circuit.refuse(f"{command.name}, which is not for servers")
        return True

    return refuse


def bad_id(circuit: "Circuit", request: tuple[int, int, int, int, int, int]) -> bool:
    """No such channel: an error, and the circuit lives on."""
    circuit.error(request, Eca.INTERNAL, NO_ID, "bad resource id: no such channel")
    return False


def update_access(circuit: "Circuit", server_channel: ServerChannel) -> None:
    """Ask again what this client may do, and tell it when that has changed.

    Its subscriptions get one event with ECA_NORDACCESS when it may read no more, and the value
    when it may again (``casAccessRightsCB``).
    """
    rights, server_channel.trapped = circuit.context.access.decide(server_channel.channel, circuit)
    if rights == server_channel.rights:
        return
    server_channel.grant(rights)
    circuit.forget_reads()
    circuit.answer(Command.ACCESS_RIGHTS, 0, b"", 0, server_channel.cid, rights)
    readable = server_channel.readable
    for feed in (server_channel.subscriptions or {}).values():
        if feed.readable != readable:
            feed.allow(readable)
            feed.post()
