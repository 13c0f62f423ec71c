"""Access control of a running IOC: asked when a client connects, and when rules change."""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ioc_ops.channel import AccessRights, ChannelData, View
from ioc_ops.errors import ConfigurationError
from ioc_ops.server.access.decision import Decision
from ioc_ops.server.access.monitor import InputWatch
from ioc_ops.server.naming import update_access

if TYPE_CHECKING:
    from ioc_ops.server.access.rules import Policy
    from ioc_ops.server.circuit import Circuit
    from ioc_ops.server.context import Context

__all__ = ["AccessControl", "AccessFile"]

log = logging.getLogger("ioc_ops.access")


@dataclass(frozen=True, slots=True)
class AccessFile:
    """Where the rules are: what the operator gave with --acf."""

    path: str | os.PathLike[str]
    macros: Mapping[str, str] = field(default_factory=dict)
    resolve: Callable[[str], str] | None = None
    """IPv4 address of a host name, to compare hosts by address; None compares names."""

    def load(self) -> "Policy":
        """Read the file. Blocks: for the disk, and for name servers with ``resolve``.

        Raises:
            ConfigurationError: the file cannot be read, or is wrong; ``file:line: reason``.
        """
        try:
            # Bytes that are no UTF-8 must match nothing that a client says.
            text = Path(self.path).read_text("utf-8", "surrogateescape")
        except OSError as problem:
            raise ConfigurationError(f"{self.path}: {problem.strerror}") from None
        from ioc_ops.server.access.rules import Policy, parse_acf

        configuration = parse_acf(text, file=str(self.path), macros=self.macros)
        return Policy(configuration, resolve=self.resolve)


class AccessControl:
    """Decides for every channel of every circuit; without a file, PVs decide for themselves."""

    def __init__(self, context: "Context") -> None:
        self._context = context
        self._file: AccessFile | None = None
        self._policy: Policy | None = None
        self._watches: dict[tuple[str, int], InputWatch] = {}
        self._settling = False  # inputs get their first values; clients are told at the end

    # -- what a circuit asks ---------------------------------------------------------------

    def rights(self, channel: ChannelData, circuit: "Circuit") -> AccessRights:
        """What a client may do with a PV."""
        return self.decide(channel, circuit).rights

    def decide(self, channel: ChannelData, circuit: "Circuit") -> Decision:
        """What a client may do with a PV, and whether its puts are logged.

        The stricter of the PV's own ``check_access`` and the rules counts.
        """
        policy = self._policy
        host = circuit.client_host if policy is None else self.host_of(circuit)
        try:
            own = channel.check_access(host, circuit.user)
        except Exception:
            log.exception("%s: check_access failed: no access", channel.name)
            own = AccessRights.NO_ACCESS
        if policy is None:
            return Decision(own, False)
        channel.when_regrouped(self.update)
        ruled = policy.decide(channel.asg, channel.asl, host, circuit.user)
        return Decision(own & ruled.rights, ruled.trapped)

    def host_of(self, circuit: "Circuit") -> str:
        """The host of a client as far as rules are concerned."""
        if self._policy is not None and self._policy.by_address:
            return circuit.host.rpartition(":")[0]
        return circuit.client_host

    # -- rules -----------------------------------------------------------------------------

    def use_file(self, file: AccessFile) -> None:
        """Read the rules and follow them from now on.

        Raises:
            ConfigurationError: the file is wrong; all stays as it was.
        """
        policy = file.load()
        self._file = file
        self.use(policy)
        log.info("Access rules from %s", file.path)

    def load(self) -> "Policy":
        """Read the file anew, without following it yet; may run in a worker thread.

        Raises:
            ConfigurationError: the file is wrong, or there is none.
        """
        if self._file is None:
            raise ConfigurationError("access security is not on: the IOC was started without --acf")
        return self._file.load()

    def use(self, policy: "Policy") -> None:
        """Follow these rules, and tell the clients whose rights change. In the loop's thread."""
        for warning in policy.warnings:
            log.warning("%s", warning)
        for watch in self._watches.values():
            watch.end()
        self._watches = {}
        self._policy = policy
        self._settling = True
        self._watch_inputs(policy)
        self._settling = False
        for group, index, name in policy.inputs:
            if (group, index) not in self._watches:
                log.warning("access rules of ASG %s: there is no PV %s", group, name)
        self.update()

    def reload(self) -> None:
        """Read the file anew and follow it; blocks meanwhile.

        Raises:
            ConfigurationError: the file is wrong, or there is none; the old rules stay.
        """
        self.use(self.load())

    # -- changes ---------------------------------------------------------------------------

    def poll(self) -> None:
        """Look after inputs whose PVs come and go at run time."""
        policy = self._policy
        if policy is not None and policy.inputs:
            self._watch_inputs(policy)

    def update(self, group: str | None = None) -> None:
        """Ask again for every channel, or for those of one group, and tell what has changed."""
        policy = self._policy
        for circuit in list(self._context.circuits):
            for server_channel in list(circuit.channels.values()):
                asg = server_channel.channel.asg
                if group is None or (policy is not None and policy.group_of(asg) == group):
                    update_access(circuit, server_channel)

    def _watch_inputs(self, policy: "Policy") -> None:
        for group, index, name in policy.inputs:
            watch = self._watches.get((group, index))
            channel = self._context.find(name)
            pv = channel.pv if isinstance(channel, View) else channel
            tell = partial(self._input_changed, policy, group, index)
            if watch is not None and watch.pv is not pv:
                watch.end()
                del self._watches[group, index]
                tell(None)
                watch = None
            if watch is None and channel is not None and pv is not None:
                self._watches[group, index] = InputWatch(channel, pv, tell)

    def _input_changed(self, policy: "Policy", group: str, index: int, value: float | None) -> None:
        if policy.set_input(group, index, value) and not self._settling:
            self.update(group)
