"""READ and READ_NOTIFY (``read_action``, ``read_reply`` in EPICS Base ``rsrv/camessage.c``)."""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ioc_ops.ca import LAST_TYPE, Command, Eca, payload_size
from ioc_ops.channel import ChannelData, Payload
from ioc_ops.errors import ChannelError
from ioc_ops.server.naming import bad_id, too_large

if TYPE_CHECKING:
    from ioc_ops.server.circuit import Circuit

__all__ = ["read", "read_notify"]

log = logging.getLogger("ioc_ops.get")

_READ_NOTIFY = int(Command.READ_NOTIFY)
_NORMAL = int(Eca.NORMAL)


def read_notify(
    circuit: "Circuit", data_type: int, count: int, sid: int, ioid: int, payload: Payload
) -> bool:
    """Answer at once, or after the getter; failures come as the status of a reply of zeros."""
    server_channel = circuit.channels.get(sid)
    request = (_READ_NOTIFY, len(payload), data_type, count, sid, ioid)
    if server_channel is None:
        return bad_id(circuit, request)
    channel, cid = server_channel.channel, server_channel.cid
    if data_type > LAST_TYPE:
        circuit.error(request, Eca.BADTYPE, cid, channel.name)
        return False
    if payload_size(data_type, count) > circuit.largest_answer:
        circuit.error(request, too_large(circuit), cid, f"{channel.name}: {count} elements")
        return False
    circuit.counters.reads += 1
    if not server_channel.readable:
        circuit.counters.access_denied += 1
        _failed(circuit, data_type, count, ioid, Eca.NORDACCESS)
    elif channel.getter is not None:

        def answer(status: Eca) -> None:
            if status == Eca.NORMAL:
                _now(circuit, channel, data_type, count, ioid)
            else:
                _failed(circuit, data_type, count, ioid, status)

        return _through_getter(circuit, channel, answer)
    else:
        _now(circuit, channel, data_type, count, ioid)
        if not payload and not (count == 0 and channel.varies_in_length):
            circuit.remember(sid, channel, data_type, count)
    return False


def _now(circuit: "Circuit", channel: ChannelData, data_type: int, count: int, ioid: int) -> None:
    try:
        payload, shown = channel.payload(data_type, count)
    except ChannelError as problem:
        log.debug("%s: %s", channel.name, problem)
        _failed(circuit, data_type, count, ioid, Eca.GETFAIL)
    else:
        circuit.answer(_READ_NOTIFY, data_type, payload, shown, _NORMAL, ioid)


def _failed(circuit: "Circuit", data_type: int, count: int, ioid: int, status: Eca) -> None:
    """Zeros, in case the client uses the value all the same."""
    size = payload_size(data_type, count)
    circuit.answer(_READ_NOTIFY, data_type, bytes(size + -size % 8), count, status, ioid)


def read(
    circuit: "Circuit", data_type: int, count: int, sid: int, ioid: int, payload: Payload
) -> bool:
    """READ, which READ_NOTIFY superseded: failures come as ERROR."""
    server_channel = circuit.channels.get(sid)
    request = (Command.READ, len(payload), data_type, count, sid, ioid)
    if server_channel is None:
        return bad_id(circuit, request)
    channel, cid = server_channel.channel, server_channel.cid
    problem = None
    if data_type > LAST_TYPE:
        problem = Eca.BADTYPE
    elif payload_size(data_type, count) > circuit.largest_answer:
        problem = too_large(circuit)
    elif not server_channel.readable:
        circuit.counters.access_denied += 1
        problem = Eca.NORDACCESS
    if problem is not None:
        circuit.error(request, problem, cid, channel.name)
        return False
    circuit.counters.reads += 1

    def answer(status: Eca) -> None:
        try:
            if status != Eca.NORMAL:
                raise ChannelError("the getter failed")
            payload, shown = channel.payload(data_type, count)
        except ChannelError as why:
            circuit.error(request, Eca.GETFAIL, cid, f"{channel.name}: {why}")
        else:
            circuit.answer(Command.READ, data_type, payload, shown, cid, ioid)

    if channel.getter is not None:
        return _through_getter(circuit, channel, answer)
    answer(Eca.NORMAL)
    return False


def _through_getter(
    circuit: "Circuit", channel: ChannelData, answer: Callable[[Eca], None]
) -> bool:
    circuit.waiting += 1
    circuit.context.spawn(_get(circuit, channel, answer, time.monotonic()), channel.name)
    return circuit.busy


async def _get(
    circuit: "Circuit", channel: ChannelData, answer: Callable[[Eca], None], began: float
) -> None:
    status = Eca.NORMAL
    try:
        await channel.read()
    except ChannelError as problem:
        log.info("%s: the getter's value was refused: %s", channel.name, problem)
        status = Eca.GETFAIL
    except Exception:
        circuit.counters.hook_failures["getter"] += 1
        log.exception("%s: the getter failed", channel.name)
        status = Eca.GETFAIL
    circuit.counters.read_latency.add(channel.name, time.monotonic() - began)
    if circuit.done():
        answer(status)
