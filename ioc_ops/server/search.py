"""Answers to searches over UDP: a datagram in, a datagram or nothing out."""

from ioc_ops.ca import pack_search_replies, parse_search_requests
from ioc_ops.server.context import Context

__all__ = ["answer_search"]


def answer_search(context: Context, datagram: bytes) -> bytes | None:
    """The reply for the names that are served here; silence for all others."""
    requests, opening = parse_search_requests(datagram)
    has = context.has
    found = [r.cid for r in requests if has(r.name.decode("utf-8", "replace"))]
    context.counters.searches += len(requests)
    if not found:
        return None
    context.counters.search_hits += len(found)
    return pack_search_replies(found, context.port, opening)
