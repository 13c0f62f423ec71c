"""Which function answers which command."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ioc_ops.ca import Command
from ioc_ops.channel import Payload
from ioc_ops.server import monitoring, naming, reading, writing

if TYPE_CHECKING:
    from ioc_ops.server.circuit import Circuit

__all__ = ["HANDLERS", "Handler"]

Handler = Callable[["Circuit", int, int, int, int, Payload], bool]
"""Circuit, data type, count, parameter 1, parameter 2, payload; true stops the parsing."""

_BY_COMMAND: dict[Command, Handler] = {
    Command.VERSION: naming.version,
    Command.CLIENT_NAME: naming.client_name,
    Command.HOST_NAME: naming.host_name,
    Command.ECHO: naming.echo,
    Command.READ_SYNC: naming.read_sync,
    Command.SEARCH: naming.search,
    Command.CREATE_CHAN: naming.create_channel,
    Command.CLEAR_CHANNEL: naming.clear_channel,
    Command.READ: reading.read,
    Command.READ_NOTIFY: reading.read_notify,
    Command.WRITE: writing.write,
    Command.WRITE_NOTIFY: writing.write_notify,
    Command.EVENT_ADD: monitoring.event_add,
    Command.EVENT_CANCEL: monitoring.event_cancel,
    Command.EVENTS_OFF: monitoring.events_off,
    Command.EVENTS_ON: monitoring.events_on,
}

HANDLERS: tuple[Handler, ...] = tuple(
    [_BY_COMMAND.get(command) or naming.not_for_servers(command) for command in Command]
)
"""By command number, without gaps: 0 to 27."""
