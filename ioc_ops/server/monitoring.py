"""EVENT_ADD, EVENT_CANCEL and flow control (``event_add_action`` and others, ``camessage.c``)."""

from typing import TYPE_CHECKING

from ioc_ops.ca import LAST_TYPE, Command, Eca, payload_size
from ioc_ops.channel import Payload
from ioc_ops.server.naming import bad_id, too_large
from ioc_ops.server.subscription import OUTPUT_LIMIT, CircuitFeed

if TYPE_CHECKING:
    from ioc_ops.server.circuit import Circuit

__all__ = ["event_add", "event_cancel", "events_off", "events_on"]

_ADD = int(Command.EVENT_ADD)
_MASK = slice(12, 14)
_EVERY_EVENT = 0xF


def event_add(
    circuit: "Circuit", data_type: int, count: int, sid: int, subscription: int, payload: Payload
) -> bool:
    """Subscribe; the first event goes out at once."""
    server_channel = circuit.channels.get(sid)
    if server_channel is None:
        return bad_id(circuit, (_ADD, len(payload), data_type, count, sid, subscription))
    channel = server_channel.channel
    mask = int.from_bytes(payload[_MASK], "big")
    held = server_channel.subscriptions
    problem = None
    if data_type > LAST_TYPE:
        problem = Eca.BADTYPE
    elif payload_size(data_type, count) > circuit.largest_answer:
        problem = too_large(circuit)
    elif not mask & _EVERY_EVENT or (held and subscription in held):
        problem = Eca.BADMASK
    if problem is not None:
        request = (_ADD, len(payload), data_type, count, sid, subscription)
        circuit.error(request, problem, server_channel.cid, channel.name)
        return False
    # A feed sends to all its subscribers at once: what that may come to is bounded.
    size = payload_size(data_type, count or channel.max_length)
    batch = circuit.subscriptions_made // max(OUTPUT_LIMIT // size, 1)
    circuit.subscriptions_made += 1
    key = (channel, data_type, count, batch << 16 | mask)
    feed = circuit.feeds.get(key)
    if feed is None:
        feed = circuit.feeds[key] = CircuitFeed(circuit, channel, data_type, count, mask, key)
        # Armed before its first event goes out: a write in between is not lost.
        channel.subscribe(feed)
    if held is None:
        held = server_channel.subscriptions = {}
    held[subscription] = feed
    circuit.subscription_count += 1
    feed.allow(server_channel.readable)
    if not feed.readable:
        circuit.counters.access_denied += 1
    feed.add(subscription)
    feed.post_first(subscription)
    return False


def event_cancel(
    circuit: "Circuit", data_type: int, count: int, sid: int, subscription: int, payload: Payload
) -> bool:
    """Unsubscribe; confirmed as an event without payload."""
    server_channel = circuit.channels.get(sid)
    request = (Command.EVENT_CANCEL, len(payload), data_type, count, sid, subscription)
    if server_channel is None:
        return bad_id(circuit, request)
    feed = (server_channel.subscriptions or {}).pop(subscription, None)
    if feed is None:
        circuit.error(request, Eca.BADMONID, server_channel.cid, server_channel.channel.name)
        return False
    circuit.drop(feed, subscription)
    circuit.answer(Command.EVENT_ADD, feed.data_type, b"", feed.count, sid, subscription)
    return False


def events_off(
    circuit: "Circuit", data_type: int, count: int, p1: int, p2: int, payload: Payload
) -> bool:
    """The client is behind: keep only the newest value of each subscription."""
    circuit.events_off = True
    return False


def events_on(
    circuit: "Circuit", data_type: int, count: int, p1: int, p2: int, payload: Payload
) -> bool:
    """The client has caught up."""
    circuit.events_off = False
    circuit.send_pending()
    return False
