"""Access configuration files of EPICS: users, hosts, groups of PVs and their rules.

The language is that of ``asLib.y`` of EPICS Base 7.0.10: blocks that it does not know are left out
with a warning, and a rule with a condition that it does not know never holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from ioc_ops.channel import AccessRights
from ioc_ops.errors import ConfigurationError
from ioc_ops.server.access.rules.calc import INPUTS, Calc
from ioc_ops.server.access.rules.tokens import Kind, Token, tokens_of

__all__ = ["DEFAULT_GROUP", "AccessConfiguration", "AccessGroup", "Rule", "parse_acf"]

DEFAULT_GROUP = "DEFAULT"
"""The group of PVs that name none, or one that the file does not have."""

_ACCESS = {
    "NONE": AccessRights.NO_ACCESS,
    "READ": AccessRights.READ,
    "WRITE": AccessRights.READ_WRITE,
}
_TRAPS = {"TRAPWRITE": True, "NOTRAPWRITE": False}
_DEEPEST = 100


@dataclass(frozen=True, slots=True)
class Rule:
    """Rights for PVs up to an access level, where all conditions hold; no condition always does."""

    level: int
    rights: AccessRights
    trap: bool = False
    users: tuple[str, ...] = ()
    """Names of UAGs; one of them must have the user."""
    hosts: tuple[str, ...] = ()
    """Names of HAGs; one of them must have the host."""
    calc: Calc | None = None


@dataclass(frozen=True, slots=True)
class AccessGroup:
    """An ASG."""

    inputs: Mapping[int, str] = field(default_factory=dict)
    """PV names by index: 0 is INPA."""
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class AccessConfiguration:
    """All that a file says."""

    users: Mapping[str, tuple[str, ...]]
    """Users by UAG."""
    hosts: Mapping[str, tuple[str, ...]]
    """Hosts by HAG, as written."""
    groups: Mapping[str, AccessGroup]
    """By name; DEFAULT is always among them."""
    warnings: tuple[str, ...] = ()
    """What was left out, with file and line."""


def parse_acf(
    text: str, *, file: str = "ACF", macros: Mapping[str, str] | None = None
) -> AccessConfiguration:
    """Read an access configuration file.

    Args:
        text: what the file says.
        file: its name, for messages.
        macros: values of ``$(NAME)``.

    Raises:
        ConfigurationError: it is none; ``file:line: what is wrong``.
    """
    return _Parser(list(tokens_of(text, file, macros or {})), file).parse()


class _Parser:
    def __init__(self, tokens: list[Token], file: str) -> None:
        self._tokens = tokens
        self._file = file
        self._at = 0
        self._users: dict[str, tuple[str, ...]] = {}
        self._hosts: dict[str, tuple[str, ...]] = {}
        self._groups: dict[str, AccessGroup] = {DEFAULT_GROUP: AccessGroup()}
        self._warnings: list[str] = []

    def parse(self) -> AccessConfiguration:
        if len(self._tokens) == 1:
            self._fail("the file is empty")
        while self._next.kind != Kind.END:
            self._item()
        return AccessConfiguration(
            self._users, self._hosts, self._groups, warnings=tuple(self._warnings)
        )

    # -- tokens --------------------------------------------------------------------------

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _fail(self, why: str, line: int | None = None) -> NoReturn:
        raise ConfigurationError(f"{self._file}:{line or self._next.line}: {why}")

    def _warn(self, why: str, line: int) -> None:
        self._warnings.append(f"{self._file}:{line}: {why}")

    def _take(self, *kinds: Kind, expected: str) -> Token:
        token = self._next
        if token.kind not in kinds:
            self._fail(f"{expected} expected, found {token}")
        self._at += 1
        return token

    def _skip(self, *marks: str) -> str:
        if self._next.kind != Kind.PUNCTUATION or self._next.text not in marks:
            self._fail(f"{' or '.join(map(repr, marks))} expected, found {self._next}")
        self._at += 1
        return self._tokens[self._at - 1].text

    def _is(self, mark: str) -> bool:
        return self._next.kind == Kind.PUNCTUATION and self._next.text == mark

    def _name(self, expected: str) -> str:
        """A name in parentheses."""
        self._skip("(")
        name = self._take(Kind.NAME, expected=expected).text
        self._skip(")")
        return name

    def _names(self, expected: str, closing: str) -> tuple[str, ...]:
        """Names with commas between them, up to a mark."""
        names = [self._take(Kind.NAME, expected=expected).text]
        while self._skip(",", closing) == ",":
            names.append(self._take(Kind.NAME, expected=expected).text)
        return tuple(names)

    # -- top level -----------------------------------------------------------------------

    def _item(self) -> None:
        token = self._take(Kind.KEYWORD, Kind.NAME, expected="UAG, HAG or ASG")
        if token.text == "UAG" and token.kind == Kind.KEYWORD:
            self._list(token, self._users, "name of a user")
        elif token.text == "HAG" and token.kind == Kind.KEYWORD:
            self._list(token, self._hosts, "name of a host")
        elif token.text == "ASG" and token.kind == Kind.KEYWORD:
            self._group(token.line)
        elif token.kind == Kind.NAME:
            self._arguments()
            if self._is("{"):
                self._unknown_block(allow_second=True)
            self._warn(f"{token.text!r} is not known and left out", token.line)
        else:
            self._fail(f"UAG, HAG or ASG expected, found {token}", token.line)

    def _list(self, token: Token, lists: dict[str, tuple[str, ...]], expected: str) -> None:
        name = self._name(f"name of the {token.text}")
        if name in lists:
            self._fail(f"there is a {token.text} {name!r} already", token.line)
        lists[name] = ()
        if self._is("{"):
            self._skip("{")
            lists[name] = self._names(expected, "}")

    def _group(self, line: int) -> None:
        name = self._name("name of the ASG")
        old = self._groups.get(name)
        # DEFAULT may come once more as long as it is empty.
        if old is not None and (name != DEFAULT_GROUP or old.inputs or old.rules):
            self._fail(f"there is an ASG {name!r} already", line)
        inputs: dict[int, str] = {}
        rules: list[Rule] = []
        if self._is("{"):
            self._skip("{")
            self._member(inputs, rules)
            while not self._is("}"):
                self._member(inputs, rules)
            self._skip("}")
        self._groups[name] = AccessGroup(inputs, tuple(rules))

    def _member(self, inputs: dict[int, str], rules: list[Rule]) -> None:
        token = self._take(Kind.INPUT, Kind.KEYWORD, expected="RULE or INPA ... INPU")
        if token.kind == Kind.INPUT:
            index = INPUTS.index(token.text[3])
            if index in inputs:
                self._warn(f"{token.text} is given twice; the last one counts", token.line)
            inputs[index] = self._name("name of a PV")
        elif token.text == "RULE":
            rule = self._rule(token.line)
            if rule is not None:
                rules.append(rule)
        else:
            self._fail(f"RULE or INPA ... INPU expected, found {token}", token.line)

    # -- rules ---------------------------------------------------------------------------

    def _rule(self, line: int) -> Rule | None:
        """A rule, or None for one that never holds."""
        self._skip("(")
        level = self._take(Kind.NUMBER, expected="access level of the rule")
        if not level.text.lstrip("+").isdecimal():
            self._fail(f"access level {level} of the rule is no whole number from 0 on", level.line)
        self._skip(",")
        access = self._take(Kind.NAME, expected="NONE, READ or WRITE").text
        trap = False
        if self._skip(",", ")") == ",":
            option = self._take(Kind.NAME, expected="TRAPWRITE or NOTRAPWRITE")
            if option.text not in _TRAPS:
                self._fail(f"TRAPWRITE or NOTRAPWRITE expected, found {option}", option.line)
            trap = _TRAPS[option.text]
            self._skip(")")
        conditions = _Conditions()
        if access not in _ACCESS:
            conditions.unknown = access
        if self._is("{"):
            self._skip("{")
            self._condition(conditions)
            while not self._is("}"):
                self._condition(conditions)
            self._skip("}")
        if conditions.unknown is not None:
            self._warn(f"{conditions.unknown!r} is not known: the rule is left out", line)
            return None
        return Rule(
            level=int(level.text),
            rights=_ACCESS[access],
            trap=trap,
            users=tuple(conditions.users),
            hosts=tuple(conditions.hosts),
            calc=conditions.calc,
        )

    def _condition(self, found: "_Conditions") -> None:
        expected = "UAG, HAG or CALC"
        token = self._take(Kind.KEYWORD, Kind.INPUT, Kind.NAME, expected=expected)
        if token.kind == Kind.KEYWORD and token.text in ("UAG", "HAG"):
            known = self._users if token.text == "UAG" else self._hosts
            self._skip("(")
            names = self._names(f"name of a {token.text}", ")")
            for name in names:
                if name not in known:
                    self._fail(f"there is no {token.text} {name!r} above", token.line)
            (found.users if token.text == "UAG" else found.hosts).extend(names)
        elif token.kind == Kind.KEYWORD and token.text == "CALC":
            expression = self._name("expression")
            if found.calc is not None:
                self._warn("a rule has a second CALC; the last one counts", token.line)
            try:
                found.calc = Calc(expression)
            except ConfigurationError as problem:
                self._fail(str(problem), token.line)
        else:
            self._arguments()
            if self._is("{"):
                self._unknown_block()
            found.unknown = token.text

    # -- what this version does not know, in the shape that all versions agree on -----------

    def _arguments(self) -> None:
        """Any words in parentheses, or none."""
        self._skip("(")
        if not self._is(")"):
            self._word()
            while self._is(","):
                self._skip(",")
                self._word()
        self._skip(")")

    def _word(self) -> Token:
        kinds = (Kind.KEYWORD, Kind.INPUT, Kind.NAME, Kind.NUMBER)
        return self._take(*kinds, expected="a name or a number")

    def _unknown_block(self, *, allow_second: bool = False, depth: int = 0) -> None:
        """``{ word, ... }`` or ``{ name(...) {...} ... }``; ``{ word } { word, ... }`` on top."""
        if depth > _DEEPEST:
            self._fail("blocks are nested too deeply")
        self._skip("{")
        first = self._word()
        if self._is("("):
            self._blocks(first, depth)
            return
        words = 1
        while self._skip(",", "}") == ",":
            self._word()
            words += 1
        if allow_second and words == 1 and self._is("{"):
            self._skip("{")
            self._word()
            self._skip(",")
            self._word()
            while self._skip(",", "}") == ",":
                self._word()

    def _blocks(self, first: Token, depth: int) -> None:
        name: Token | None = first
        while name is not None:
            if name.kind == Kind.NUMBER:
                self._fail(f"name of a block expected, found {name}", name.line)
            self._arguments()
            if self._is("{"):
                self._unknown_block(depth=depth + 1)
            name = None if self._is("}") else self._word()
        self._skip("}")


class _Conditions:
    """Of one rule, while it is read."""

    def __init__(self) -> None:
        self.users: list[str] = []
        self.hosts: list[str] = []
        self.calc: Calc | None = None
        self.unknown: str | None = None
