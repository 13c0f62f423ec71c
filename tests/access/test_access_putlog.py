"""Puts under TRAPWRITE rules: one line each, with what a machine needs as well."""

import json
import logging
import shlex
import struct
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from access_bench import SecuredBench
from circuit_bench import Pause, write

from ioc_ops.ca import ChannelType
from ioc_ops.channel import (
    AlarmSeverity,
    ChannelByte,
    ChannelData,
    ChannelDouble,
    ChannelEnum,
    ChannelString,
    Value,
)
from ioc_ops.errors import SkipWrite
from ioc_ops.server.access.putlog import key_value, shown

TRAP = "ASG(DEFAULT) { RULE(1, WRITE, TRAPWRITE) }"
DOUBLE = int(ChannelType.DOUBLE)

Secured = Callable[..., SecuredBench]


def number(*values: float) -> bytes:
    return struct.pack(f">{len(values)}d", *values)


@pytest.fixture
def puts(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[], list[Any]]]:
    """What was logged since the last look."""
    with caplog.at_level(logging.INFO, "ioc_ops.putlog"):

        def take() -> list[Any]:
            found = [r for r in caplog.records if r.name == "ioc_ops.putlog"]
            caplog.clear()
            return found

        yield take


@pytest.mark.parametrize("notify", [True, False])
def test_a_put_is_one_line_with_fields(
    secured: Secured, puts: Callable[[], list[Any]], notify: bool
) -> None:
    bench = secured(TRAP, ChannelDouble(1.5, name="x:setpoint"))
    client = bench.client("x:setpoint", user="ann b", host="console", address="10.0.0.7:5001")
    client.ask(write(1, DOUBLE, number(2.25), notify=notify))
    [record] = puts()
    assert record.levelno == logging.INFO
    fields = {
        "user": "ann b",
        "host": "console",
        "address": "10.0.0.7:5001",
        "pv": "x:setpoint",
        "old": "1.5",
        "new": "2.25",
    }
    assert {name: getattr(record, name) for name in fields} == fields
    line = record.getMessage()
    assert line.startswith(
        'user="ann b" host=console address=10.0.0.7:5001 pv=x:setpoint old=1.5 new=2.25 time='
    )
    # Any reader of shell words reads it back.
    assert dict(word.split("=", 1) for word in shlex.split(line)) == fields | {"time": record.time}
    assert datetime.fromisoformat(record.time).utcoffset() is not None
    assert json.dumps(vars(record), default=str)  # a JSON formatter can have it all


def test_what_is_refused_is_no_put(secured: Secured, puts: Callable[[], list[Any]]) -> None:
    limited = ChannelDouble(0.0, name="x", lower_ctrl_limit=-1, upper_ctrl_limit=1)
    state = ChannelEnum("Off", enum_strings=("Off", "On"), name="e")
    client = secured(TRAP, limited, state).client("x", "e")
    client.ask(write(1, DOUBLE, number(5.0)))
    client.ask(write(2, int(ChannelType.STRING), b"Broken".ljust(40, b"\0")))
    assert puts() == []
    client.ask(write(2, int(ChannelType.STRING), b"On".ljust(40, b"\0")))
    [record] = puts()
    assert (record.pv, record.old, record.new) == ("e", "Off", "On")


def test_without_a_rule_that_traps_nothing_is_logged(
    secured: Secured, puts: Callable[[], list[Any]]
) -> None:
    acf = "UAG(u) {ann} ASG(DEFAULT) { RULE(1, WRITE, TRAPWRITE) { UAG(u) } RULE(1, WRITE) }"
    bench = secured(acf, ChannelDouble(0.0, name="x"))
    bench.client("x", user="bob").ask(write(1, DOUBLE, number(1.0)))
    assert puts() == []
    bench.client("x", user="ann").ask(write(1, DOUBLE, number(2.0)))
    assert [(record.user, record.old, record.new) for record in puts()] == [("ann", "1.0", "2.0")]


def test_rules_that_come_to_trap_count_for_those_who_are_connected(
    secured: Secured, puts: Callable[[], list[Any]]
) -> None:
    bench = secured("ASG(DEFAULT) { RULE(1, WRITE) }", ChannelDouble(0.0, name="x"))
    client = bench.client("x")
    bench.path.write_text(TRAP)
    bench.context.reload_access()
    assert client.replies() == []  # the rights are what they were
    client.ask(write(1, DOUBLE, number(1.0)))
    assert len(puts()) == 1


def test_a_log_that_nobody_reads_costs_nothing(
    secured: Secured, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks: list[object] = []
    monkeypatch.setattr("ioc_ops.server.access.putlog.shown", looks.append)
    client = secured(TRAP, ChannelDouble(0.0, name="x")).client("x")
    with caplog.at_level(logging.WARNING, "ioc_ops.putlog"):
        client.ask(write(1, DOUBLE, number(1.0)))
    assert looks == []


# --- hooks --------------------------------------------------------------------------------------


def test_puts_that_wait_for_a_putter_are_logged_when_it_is_through(
    secured: Secured, puts: Callable[[], list[Any]]
) -> None:
    pauses: list[Pause] = []

    async def put(instance: ChannelData, value: Value) -> Value:
        pauses.append(Pause())
        await pauses[-1]
        if value == 3.0:
            raise SkipWrite
        if value == 4.0:
            raise ValueError("not today")
        return value * 10

    channel = ChannelDouble(0.0, name="x")
    channel.putter = put
    bench = secured(TRAP, channel)
    client = bench.client("x")
    for value in (1.0, 2.0, 3.0, 4.0):
        client.ask(write(1, DOUBLE, number(value)))
    assert puts() == []
    found = []
    for _ in range(4):
        bench.run_tasks()
        pauses[-1].over = True
        bench.run_tasks()
        found.append([(record.old, record.new) for record in puts()])
    # The values before and after, not what the client asked for.
    assert found == [[("0.0", "10.0")], [("10.0", "20.0")], [("20.0", "20.0")], []]


@pytest.mark.parametrize("hooked", [True, False])
def test_an_acknowledgement_is_a_put_to_a_field(
    secured: Secured, puts: Callable[[], list[Any]], hooked: bool
) -> None:
    async def put(instance: ChannelData, value: Value) -> Value:
        return value

    channel = ChannelDouble(0.0, name="x")
    channel.putter = put if hooked else None
    channel.alarm.change(3, AlarmSeverity.MAJOR_ALARM)
    client = secured(TRAP, channel).client("x")
    client.ask(write(1, int(ChannelType.PUT_ACKS), b"\0\2"))
    client.ask(write(1, int(ChannelType.PUT_ACKT), b"\0\0"))
    assert [(record.pv, record.old, record.new) for record in puts()] == [
        ("x.ACKS", "2", "0"),
        ("x.ACKT", "1", "0"),
    ]


# --- values -------------------------------------------------------------------------------------


def test_arrays_and_long_texts_are_shown_in_short(
    secured: Secured, puts: Callable[[], list[Any]]
) -> None:
    array = ChannelDouble(np.zeros(2), name="a", max_length=1000)
    text = ChannelByte(b"", name="t", max_length=5000)
    name = ChannelString("x", name="s")
    client = secured(TRAP, array, text, name).client("a", "t", "s")
    client.ask(write(1, DOUBLE, number(*range(1000)), 1000))
    client.ask(write(2, int(ChannelType.CHAR), b"z" * 4096, 4096))
    client.ask(write(3, int(ChannelType.STRING), b'say "hi"'.ljust(40, b"\0")))
    first, second, third = puts()
    assert first.old == "[0.0, 0.0]"
    assert first.new == "[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, ... 1000 elements]"
    assert second.new == "z" * 120 + "..."
    assert (third.old, third.new) == ("x", 'say "hi"')
    assert r'new="say \"hi\""' in third.getMessage()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "1.5"),
        (7, "7"),
        ("On", "On"),
        (b"ab\xff", r"ab\xff"),
        (np.float64(0.5), "0.5"),
        ([1, 2], "[1, 2]"),
        (("a", "b"), "[a, b]"),
        (["x" * 200], "[" + "x" * 120 + "...]"),
        (np.arange(12, dtype=">i4"), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ... 12 elements]"),
    ],
)
def test_how_a_value_is_shown(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("plain", "k=plain"),
        ("", 'k=""'),
        ("two words", 'k="two words"'),
        ("a=b", 'k="a=b"'),
        ("x\ny k2=forged", r'k="x\ny k2=forged"'),
        ("\u2028\u202e", r'k="\u2028\u202e"'),
        ("back\\slash", r'k="back\\slash"'),
    ],
)
def test_a_client_cannot_forge_a_line(value: str, line: str) -> None:
    assert key_value({"k": value}) == line
