"""Who may do what: the rules of an access configuration applied to a client (``asComputePvt``)."""

from collections.abc import Callable, Iterable, Mapping

from ioc_ops.channel import AccessRights
from ioc_ops.server.access.decision import Decision
from ioc_ops.server.access.rules.acf import (
    DEFAULT_GROUP,
    AccessConfiguration,
    AccessGroup,
    Rule,
)
from ioc_ops.server.access.rules.calc import INPUTS, Calc

__all__ = ["Policy"]


_NOTHING = Decision(AccessRights.NO_ACCESS, False)


class _BoundRule:
    """A rule with its lists looked up, and whether its CALC holds at present."""

    __slots__ = ("calc", "decision", "holds", "hosts", "level", "previous", "users")

    def __init__(
        self, rule: Rule, configuration: AccessConfiguration, hosts: Mapping[str, str]
    ) -> None:
        self.level = rule.level
        self.decision = Decision(rule.rights, rule.trap)
        self.users = _members(rule.users, configuration.users)
        named = _members(rule.hosts, configuration.hosts)
        self.hosts = None if named is None else frozenset([hosts[host] for host in named])
        self.calc: Calc | None = rule.calc
        # Base computes a CALC when one of its inputs has come, and holds it false before:
        # one without inputs never becomes true.
        self.holds = rule.calc is None
        self.previous = 0.0

    def compute(self, values: list[float], bad: set[int], changed: int | None) -> bool:
        """Evaluate CALC for new inputs; whether the rule now holds where it did not, or not."""
        calc, before = self.calc, self.holds
        if calc is None:
            return False
        if changed is not None and changed in calc.inputs:
            result = calc.evaluate(values, self.previous)
            self.previous = float(result is not None and 0.99 < result < 1.01)
        self.holds = bool(self.previous) and bad.isdisjoint(calc.inputs)
        return self.holds != before


def _members(lists: Iterable[str], known: Mapping[str, tuple[str, ...]]) -> frozenset[str] | None:
    """All that the named lists have; None where no list is named."""
    names = list(lists)
    return frozenset([member for name in names for member in known[name]]) if names else None


class _BoundGroup:
    __slots__ = ("bad", "inputs", "rules", "values")

    def __init__(
        self, group: AccessGroup, configuration: AccessConfiguration, hosts: Mapping[str, str]
    ) -> None:
        self.inputs = group.inputs
        self.rules = [_BoundRule(rule, configuration, hosts) for rule in group.rules]
        self.values = [0.0] * len(INPUTS)
        self.bad = set(group.inputs)


class Policy:
    """The rules, and the state of their inputs."""

    def __init__(
        self,
        configuration: AccessConfiguration,
        *,
        resolve: Callable[[str], str] | None = None,
    ) -> None:
        """Make ready to decide.

        Args:
            configuration: what the file says.
            resolve: IPv4 address of a host name (OSError, UnicodeError: there is none); with it
                hosts are compared by address. None compares the names that clients give.
        """
        hosts = {host for hosts in configuration.hosts.values() for host in hosts}
        self.by_address = resolve is not None
        """Whether ``decide`` takes addresses for hosts."""
        self.warnings = list(configuration.warnings)
        comparable = {host: self._comparable(host, resolve) for host in sorted(hosts)}
        self._groups = {
            name: _BoundGroup(group, configuration, comparable)
            for name, group in configuration.groups.items()
        }

    def _comparable(self, host: str, resolve: Callable[[str], str] | None) -> str:
        if resolve is None:
            return _lower(host)
        try:
            return resolve(host)
        except (OSError, UnicodeError):
            self.warnings.append(f"host {host!r} of a HAG has no address and never matches")
            return f"unresolved:{host}"

    @property
    def inputs(self) -> list[tuple[str, int, str]]:
        """Every input: its group, its index, the name of its PV."""
        return [
            (name, index, pv)
            for name, group in self._groups.items()
            for index, pv in group.inputs.items()
        ]

    def group_of(self, asg: str) -> str:
        """The group that counts for PVs of this one."""
        return asg if asg in self._groups else DEFAULT_GROUP

    def set_input(self, asg: str, index: int, value: float | None) -> bool:
        """An input has a value, or None: it is not there or INVALID.

        Returns:
            Whether a rule of the group now holds that did not, or the reverse.
        """
        group = self._groups[asg]
        if value is None:
            group.bad.add(index)
        else:
            group.bad.discard(index)
            group.values[index] = value
        changed = None if value is None else index
        turned = [rule.compute(group.values, group.bad, changed) for rule in group.rules]
        return any(turned)

    def decide(self, asg: str, asl: int, host: str, user: str) -> Decision:
        """What a client may do.

        Args:
            asg: group of the PV.
            asl: its access level, 0 or 1.
            host: of the client: what it calls itself, or its address (see ``by_address``).
            user: of the client.
        """
        group = self._groups.get(asg) or self._groups[DEFAULT_GROUP]
        host = host if self.by_address else _lower(host)
        decision = _NOTHING
        for rule in group.rules:
            if (
                rule.holds
                and rule.decision.rights > decision.rights
                and asl <= rule.level
                and (rule.users is None or user in rule.users)
                and (rule.hosts is None or host in rule.hosts)
            ):
                decision = rule.decision
                if decision.rights == AccessRights.READ_WRITE:
                    break
        return decision


def _lower(host: str) -> str:
    """ASCII letters only, as C's tolower: no other letter becomes one of them."""
    return host.encode("utf-8", "surrogateescape").lower().decode("utf-8", "surrogateescape")
