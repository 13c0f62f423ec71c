"""READ and READ_NOTIFY (``read_action``, ``read_reply`` in EPICS Base ``rsrv/camessage.c``)."""

import logging
import time
from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING

from ioc_ops.ca import LAST_TYPE, Command, Eca, payload_size
from ioc_ops.ca.header import HEADER
from ioc_ops.channel import ChannelData, Payload
from ioc_ops.errors import ChannelError
from ioc_ops.server.naming import bad_id, too_large
from ioc_ops.server.subscription import LARGE

if TYPE_CHECKING:
    from ioc_ops.server.circuit import Circuit

__all__ = ["MOST_READS", "RepeatedRead", "answer_repeated", "read", "read_notify", "repeated_read"]

log = logging.getLogger("ioc_ops.get")

MOST_READS = 10_000
"""Reads that may wait for the getter of one PV, those of clients that have gone among them."""

_READ_NOTIFY = int(Command.READ_NOTIFY)
_NORMAL = int(Eca.NORMAL)
_pack = HEADER.pack

RepeatedRead = tuple[dict[int, tuple[Payload, int]], int, bytes, ChannelData, int, int]
"""A read that is found by the first 12 bytes of its request: the PV's payloads, the key in them,
the first 12 bytes of the reply, the PV, data type and count."""

# What a request is found by, and its number: of READ_NOTIFY after READ_NOTIFY, in one go.
_split = Struct("12s4s").iter_unpack


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

        return _through_getter(circuit, channel, data_type, count, answer)
    else:
        _now(circuit, channel, data_type, count, ioid)
        if not payload and not (count == 0 and channel.varies_in_length):
            circuit.remember(sid, channel, data_type, count)
    return False


def repeated_read(
    sid: int, channel: ChannelData, data_type: int, count: int
) -> tuple[bytes, RepeatedRead] | None:
    """How to find this read again by its bytes, and what to answer.

    None where replies are large, or of a size that does not fit a short header.
    """
    key = data_type << 32 | count
    cached = channel.encoded.get(key)
    if cached is None or len(cached[0]) >= LARGE // 2 or max(cached[1], count) >= 0xFFFF:
        return None
    request = _pack(_READ_NOTIFY, 0, data_type, count, sid, 0)[:12]
    head = _pack(_READ_NOTIFY, len(cached[0]), data_type, cached[1], _NORMAL, 0)[:12]
    return request, (channel.encoded, key, head, channel, data_type, count)


def answer_repeated(
    repeated: dict[bytes, RepeatedRead],
    data: bytes,
    start: int,
    room: int,
    add: Callable[[Payload], None],
) -> tuple[int, int]:
    """Answer reads that were asked before, as many as stand together.

    Nothing is looked up but the request as it stands, and nothing taken apart but it and its
    number.

    Args:
        repeated: what is known by the first 12 bytes of its request.
        data: what was received.
        start: where in it the first request is.
        room: bytes that the circuit may still queue.
        add: takes the pieces of the answers.

    Returns:
        Where the first request is that was not answered, and the room that is left.
    """
    whole: Payload = data
    if start or len(data) % 16:
        whole = memoryview(data)[start : len(data) - (len(data) - start) % 16]
    for request, number in _split(whole):
        entry = repeated.get(request)
        if entry is None:
            break
        payloads, key, head, channel, data_type, count = entry
        cached = payloads.get(key)
        if cached is None:
            try:
                cached = channel.payload(data_type, count)
            except Exception:  # the new value has no form in this type: the slow way says so
                break
        payload = cached[0]
        add(head)
        add(number)
        add(payload)
        start += 16
        room -= len(payload)
        if room <= 0:
            break
    return start, room


def _now(circuit: "Circuit", channel: ChannelData, data_type: int, count: int, ioid: int) -> None:
    try:
        payload, shown = channel.payload(data_type, count)
    except ChannelError as problem:
        log.debug("%s: %s", channel.name, problem)
        _failed(circuit, data_type, count, ioid, Eca.GETFAIL)
    except Exception:  # of a PV class of the user's: no reason to drop the client
        log.exception("%s: the read failed", channel.name)
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
        except Exception:
            log.exception("%s: the read failed", channel.name)
            circuit.error(request, Eca.GETFAIL, cid, channel.name)
        else:
            circuit.answer(Command.READ, data_type, payload, shown, cid, ioid)

    if channel.getter is not None:
        return _through_getter(circuit, channel, data_type, count, answer)
    answer(Eca.NORMAL)
    return False


def _through_getter(
    circuit: "Circuit",
    channel: ChannelData,
    data_type: int,
    count: int,
    answer: Callable[[Eca], None],
) -> bool:
    size = payload_size(data_type, count or channel.max_length)
    reading, owner = circuit.context.reading, channel.puts_owner
    if reading[owner] >= MOST_READS:
        log.info("read by %s refused: %s: too many wait already", circuit.host, channel.name)
        answer(Eca.GETFAIL)
        return False
    reading[owner] += 1
    circuit.wait(size)
    circuit.context.spawn(_get(circuit, channel, size, answer, time.monotonic()), channel.name)
    return circuit.busy


async def _get(
    circuit: "Circuit",
    channel: ChannelData,
    size: int,
    answer: Callable[[Eca], None],
    began: float,
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
    reading, owner = circuit.context.reading, channel.puts_owner
    reading[owner] -= 1
    if not reading[owner]:
        del reading[owner]
    circuit.counters.read_latency.add(channel.name, time.monotonic() - began)
    if circuit.done(size):
        answer(status)
