"""An IOC without sockets under access rules, and clients that say who they are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from circuit_bench import Bench, Client, create, name_of, version

from ioc_ops.ca import Command, Message
from ioc_ops.server.access import AccessFile


class SecuredBench(Bench):
    """A bench whose context follows a file; without a text there is none."""

    def __init__(
        self,
        path: Path,
        acf: str | None,
        *channels: Any,
        macros: dict[str, str] | None = None,
        resolve: Callable[[str], str] | None = None,
    ) -> None:
        super().__init__(*channels)
        self.path = path
        if acf is not None:
            path.write_text(acf)
            self.context.access.use_file(AccessFile(path, macros or {}, resolve))

    def client(
        self, *names: str, user: str = "op", host: str = "console", address: str = "127.0.0.1:4000"
    ) -> "NamedClient":
        """Connected to these PVs; their sids are 1, 2, ..., their cids 100, 101, ..."""
        return NamedClient(self, names, user, host, address)


class NamedClient(Client):
    """A client with user and host."""

    def __init__(
        self, bench: Bench, names: tuple[str, ...], user: str, host: str, address: str
    ) -> None:
        super().__init__(bench, address)
        self.connected = self.ask(
            version()
            + name_of(Command.HOST_NAME, host)
            + name_of(Command.CLIENT_NAME, user)
            + b"".join(create(name, 100 + i) for i, name in enumerate(names))
        )

    @property
    def first_rights(self) -> dict[int, int]:
        """What it was told when it connected, by cid."""
        return rights_in(self.connected)


def rights_in(messages: list[Message]) -> dict[int, int]:
    """The last ACCESS_RIGHTS for each cid."""
    return {
        m.header.parameter1: m.header.parameter2
        for m in messages
        if m.header.command == Command.ACCESS_RIGHTS
    }


def events_in(messages: list[Message]) -> list[tuple[int, int]]:
    """Subscription and status of each event."""
    return [
        (m.header.parameter2, m.header.parameter1)
        for m in messages
        if m.header.command == Command.EVENT_ADD
    ]
