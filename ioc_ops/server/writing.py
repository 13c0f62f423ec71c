"""WRITE and WRITE_NOTIFY (``write_action``, ``write_notify_action`` in ``rsrv/camessage.c``)."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from ioc_ops.ca import LAST_TYPE, ChannelType, Command, Eca, pack_header
from ioc_ops.ca.header import HEADER
from ioc_ops.channel import Payload
from ioc_ops.errors import ChannelError
from ioc_ops.server.access import PutTrap
from ioc_ops.server.channels import ServerChannel
from ioc_ops.server.naming import bad_id
from ioc_ops.server.puts import PutQueue

if TYPE_CHECKING:
    from ioc_ops.server.circuit import Circuit

__all__ = ["write", "write_notify"]

log = logging.getLogger("ioc_ops.put")

_WRITE = int(Command.WRITE)
_WRITE_NOTIFY = int(Command.WRITE_NOTIFY)
_PUT_ACKT = int(ChannelType.PUT_ACKT)
_NORMAL = Eca.NORMAL
_pack = HEADER.pack


def write_notify(
    circuit: "Circuit", data_type: int, count: int, sid: int, ioid: int, payload: Payload
) -> bool:
    """Put-callback: answered when the value is in place and its putter is through."""
    server_channel = circuit.channels.get(sid)
    if server_channel is None:
        return bad_id(circuit, (_WRITE_NOTIFY, len(payload), data_type, count, sid, ioid))
    circuit.counters.writes += 1
    if data_type > LAST_TYPE:
        status = Eca.BADTYPE
    elif not server_channel.writable:
        circuit.counters.access_denied += 1
        status = Eca.NOWTACCESS
    elif server_channel.channel.hooked:
        done = _answering(circuit, len(payload), data_type, count, ioid)
        return _through_putter(circuit, server_channel, data_type, count, payload, done)
    else:
        status = _now(circuit, server_channel, data_type, count, payload)
    circuit.sent[_WRITE_NOTIFY] += 1
    if count < 0xFFFF:
        circuit.out.append(_pack(_WRITE_NOTIFY, 0, data_type, count, status, ioid))
    else:
        circuit.out.append(pack_header(_WRITE_NOTIFY, 0, data_type, count, status, ioid))
    return False


def write(
    circuit: "Circuit", data_type: int, count: int, sid: int, ioid: int, payload: Payload
) -> bool:
    """Silent when it succeeds, ERROR when not."""
    server_channel = circuit.channels.get(sid)
    if server_channel is None:
        return bad_id(circuit, (_WRITE, len(payload), data_type, count, sid, ioid))
    circuit.counters.writes += 1
    channel = server_channel.channel
    if data_type > LAST_TYPE:
        status = Eca.BADTYPE
    elif not server_channel.writable:
        circuit.counters.access_denied += 1
        status = Eca.NOWTACCESS
    elif channel.hooked:
        request = (_WRITE, len(payload), data_type, count, sid, ioid)
        done = _complaining(circuit, request, server_channel.cid, channel.name)
        return _through_putter(circuit, server_channel, data_type, count, payload, done)
    else:
        status = _now(circuit, server_channel, data_type, count, payload)
    if status != _NORMAL:
        request = (_WRITE, len(payload), data_type, count, sid, ioid)
        circuit.error(request, status, server_channel.cid, channel.name)
    return False


# Not within the handlers: a function in there would cost every write its cells.
def _answering(
    circuit: "Circuit", size: int, data_type: int, count: int, ioid: int
) -> Callable[[Eca], None]:
    def done(status: Eca) -> None:
        if circuit.done(size):
            circuit.answer(_WRITE_NOTIFY, data_type, b"", count, status, ioid)

    return done


def _complaining(
    circuit: "Circuit", request: tuple[int, int, int, int, int, int], cid: int, name: str
) -> Callable[[Eca], None]:
    def done(status: Eca) -> None:
        if circuit.done(request[1]) and status != _NORMAL:
            circuit.error(request, status, cid, name)

    return done


def _now(
    circuit: "Circuit", server_channel: ServerChannel, data_type: int, count: int, payload: Payload
) -> Eca:
    channel = server_channel.channel
    trap = None
    if server_channel.trapped:
        trap = PutTrap(circuit, channel, data_type)
        trap.begin()
    try:
        if data_type < _PUT_ACKT:
            channel.assign(channel.decode(data_type, count, payload))
        elif data_type == _PUT_ACKT:
            channel.alarm.require_acknowledge(any(payload[:2]))
        elif data_type == ChannelType.PUT_ACKS:
            channel.alarm.acknowledge(int.from_bytes(payload[:2], "big"))
        else:
            raise ChannelError(f"{channel.name}: DBR type {data_type} is only read")
    except ChannelError as problem:
        log.info("write by %s refused: %s", circuit.host, problem)
        return Eca.PUTFAIL
    except Exception:  # of a PV class of the user's: no reason to drop the client
        log.exception("%s: the write failed", channel.name)
        return Eca.PUTFAIL
    if trap is not None:
        trap.applied()
    return _NORMAL


def _through_putter(
    circuit: "Circuit",
    server_channel: ServerChannel,
    data_type: int,
    count: int,
    payload: Payload,
    done: Callable[[Eca], None],
) -> bool:
    """Queue the write behind those that already wait for this PV's hooks."""
    circuit.wait(len(payload))
    channel = server_channel.channel
    if data_type >= ChannelType.PUT_ACKT:
        done(_now(circuit, server_channel, data_type, count, payload))
        return False
    try:
        stored = channel.decode(data_type, count, payload)
    except ChannelError as problem:
        log.info("write by %s refused: %s", circuit.host, problem)
        done(Eca.PUTFAIL)
        return False
    except Exception:
        log.exception("%s: the write failed", channel.name)
        done(Eca.PUTFAIL)
        return False
    trap = PutTrap(circuit, channel, data_type) if server_channel.trapped else None
    owner = channel.puts_owner
    queue = owner.puts or PutQueue(owner, circuit.counters, circuit.context.spawn)
    if queue.full:
        log.info("write by %s refused: %s: too many wait already", circuit.host, channel.name)
        done(Eca.PUTFAIL)
        return False
    queue.add(channel, stored, done, trap, len(payload))
    return circuit.busy
