"""Hooks that raise: alarm, log and counter; the IOC and its other hooks go on."""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from raw_circuit import RawCircuit

from ioc_ops.ca import Eca
from ioc_ops.channel import AlarmSeverity, AlarmStatus, ChannelInteger
from ioc_ops.errors import ConfigurationError
from ioc_ops.group import PVGroup, PVSpec, pvproperty, scan_wrapper
from ioc_ops.server import Context
from ioc_ops.server.hooks import hooks_of, run_restore, run_scan, run_startup, run_stop

StartIoc = Callable[..., Any]
MAJOR = AlarmSeverity.MAJOR_ALARM


class StoppedError(Exception):
    """Ends a scan, which has no end."""


class FakeLibrary:
    """A clock that only the hooks move; `sleep` notes what it was asked for."""

    name = "fake"
    library = asyncio

    def __init__(self, sleeps: int = 0) -> None:
        self.now = 100.0
        self.slept: list[float] = []
        self._sleeps = sleeps

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        if len(self.slept) >= self._sleeps:
            raise StoppedError


class Failing(PVGroup):
    x = pvproperty(value=1)

    async def fails(self, instance: Any, async_lib: Any) -> None:
        raise RuntimeError("by design")


def failing(kind: str, function: Any) -> tuple[Context, Any, Any]:
    """An IOC of one PV with one hook: its context, the PV, the hook as it is run."""
    pv = PVSpec(value=1, name="x", **{kind: function}).create()
    (hook,) = hooks_of([pv], kind)
    return Context({"x": pv}), pv, hook


async def fails(instance: Any, async_lib: Any) -> None:
    raise RuntimeError("by design")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("restore", AlarmStatus.READ),
        ("startup", AlarmStatus.SOFT),
        ("shutdown", AlarmStatus.SOFT),
        ("save", AlarmStatus.SOFT),
    ],
)
def test_what_a_hook_raises_stays_with_its_pv(
    kind: str, status: AlarmStatus, caplog: pytest.LogCaptureFixture
) -> None:
    context, pv, hook = failing(kind, fails)
    layer: Any = FakeLibrary()
    with caplog.at_level(logging.ERROR, "ioc_ops.hook"):
        if kind == "restore":
            asyncio.run(run_restore(context, hook, layer))
        elif kind == "startup":
            asyncio.run(run_startup(context, hook, layer))
        else:
            asyncio.run(run_stop(context, hook, layer))
    assert (pv.value, pv.status, pv.severity) == (1, status, MAJOR)
    assert context.counters.hook_failures == {kind: 1}
    assert context.tasks_failed == (1 if kind == "startup" else 0)
    (record,) = caplog.records
    assert record.getMessage() == f"x: the {kind} hook failed"
    assert record.exc_info is not None
    assert "by design" in str(record.exc_info[1])


def test_a_restore_that_finds_the_configuration_impossible_says_so() -> None:
    async def refuse(instance: Any, async_lib: Any) -> None:
        raise ConfigurationError("no such directory")

    context, _, hook = failing("restore", refuse)
    layer: Any = FakeLibrary()
    with pytest.raises(ConfigurationError, match="no such directory"):
        asyncio.run(run_restore(context, hook, layer))
    assert context.counters.hook_failures == {}


def test_the_pvs_that_have_a_hook_in_their_order() -> None:
    class Group(PVGroup):
        a = pvproperty(value=1, startup=Failing.fails)
        b = pvproperty(value=1)
        c = pvproperty(value=1, startup=Failing.fails, shutdown=Failing.fails)

    channels = list(Group("").pvdb.values())
    assert [hook.channel.name for hook in hooks_of(channels, "startup")] == ["a", "c"]
    assert [hook.channel.name for hook in hooks_of(channels, "shutdown")] == ["c"]
    assert list(hooks_of(channels, "save")) == []
    assert list(hooks_of([ChannelInteger(0, name="bare")], "startup")) == []


# --- scans ---------------------------------------------------------------------------------


def scan(
    hook: Callable[[Any, int], None], sleeps: int, **options: Any
) -> tuple[Context, Any, FakeLibrary]:
    """Run a scan for so many periods of 1 s; `hook` gets the PV and the number of the call."""
    library, calls = FakeLibrary(sleeps), iter(range(1000))

    async def function(instance: Any, async_lib: Any) -> None:
        assert async_lib is library
        hook(instance, next(calls))

    context, pv, wrapped = failing("scan", scan_wrapper(1.0, **options)(function))
    layer: Any = library
    with contextlib.suppress(StoppedError):
        asyncio.run(run_scan(context, wrapped, layer))
    return context, pv, library


def test_a_scan_keeps_its_rhythm_whatever_the_hook_takes() -> None:
    async def slow(instance: Any, async_lib: Any) -> None:
        async_lib.now += next(took)

    for subtract, slept in ((True, [0.75, 1.0, 0.0]), (False, [1.0, 1.0, 1.0])):
        took, library = iter((0.25, 0.0, 3.0)), FakeLibrary(3)
        spec = scan_wrapper(1.0, subtract_elapsed=subtract)(slow)
        context, _, hook = failing("scan", spec)
        layer: Any = library
        with pytest.raises(StoppedError):
            asyncio.run(run_scan(context, hook, layer))
        assert library.slept == slept


def test_a_scan_that_fails_is_in_alarm_until_it_is_well_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[tuple[int, int]] = []

    def ill(pv: Any, call: int) -> None:
        seen.append((pv.status, pv.severity))
        if call in (1, 2, 3):
            raise RuntimeError("by design")

    with caplog.at_level(logging.ERROR, "ioc_ops.hook"):
        context, _, _ = scan(ill, sleeps=6)
    alarm = (AlarmStatus.SCAN, MAJOR)
    assert seen == [(0, 0), (0, 0), alarm, alarm, alarm, (0, 0)]
    assert context.counters.hook_failures == {"scan": 3}
    assert context.tasks_failed == 0
    # The first of a row is worth a traceback, the others are not.
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_a_scan_leaves_an_alarm_that_is_not_its_own() -> None:
    def ill(pv: Any, call: int) -> None:
        if call == 0:
            raise RuntimeError("by design")
        pv.alarm.change(AlarmStatus.COMM, AlarmSeverity.INVALID_ALARM)

    _, pv, _ = scan(ill, sleeps=3)
    assert pv.status == AlarmStatus.COMM


def test_a_scan_may_end_with_its_first_failure() -> None:
    def ill(pv: Any, call: int) -> None:
        raise RuntimeError("by design")

    context, pv, library = scan(
        ill, sleeps=5, stop_on_error=True, failure_severity=AlarmSeverity.INVALID_ALARM
    )
    assert library.slept == []
    assert (pv.status, pv.severity) == (AlarmStatus.SCAN, AlarmSeverity.INVALID_ALARM)
    assert (context.tasks_failed, context.counters.hook_failures) == (1, {"scan": 1})


# --- a whole IOC ---------------------------------------------------------------------------


def test_an_ioc_whose_every_hook_raises_goes_on(run_faulty_ioc: StartIoc) -> None:
    ioc = run_faulty_ioc("faulty")
    with RawCircuit(ioc.port) as circuit:

        def alarm_of(name: str) -> tuple[int, int]:
            extras = circuit.get(circuit.connect(f"f:{name}"), 12).extras
            return extras.status, extras.severity

        def counters() -> dict[str, Any]:
            text = bytes(circuit.get(circuit.connect("f:counters"), 4).values).decode()
            return dict(json.loads(text))

        assert alarm_of("restored") == (AlarmStatus.READ, MAJOR)
        # Startup hooks run as tasks: their alarm comes as an event, if not with the first.
        started = circuit.monitor(circuit.connect("f:started"), mask=4, data_type=12)
        list(circuit.events_until(started, lambda e: e.extras.status == AlarmStatus.SOFT))

        written = circuit.connect("f:written")
        assert circuit.put(written, -1) == Eca.PUTFAIL
        assert alarm_of("written") == (AlarmStatus.WRITE, MAJOR)
        assert circuit.get(written).value == 5
        assert circuit.put(written, 8) == Eca.NORMAL
        assert alarm_of("written") == (AlarmStatus.NO_ALARM, 0)

        got = circuit.connect("f:got")
        assert circuit.get(got).status == Eca.GETFAIL
        scanned = circuit.monitor(circuit.connect("f:scanned"), mask=4, data_type=12)
        list(circuit.events_until(scanned, lambda e: e.extras.status == AlarmStatus.SCAN))

        # Well again: the alarm of the scan goes, its work goes on, the getter answers.
        assert circuit.put(circuit.connect("f:ill"), 0) == Eca.NORMAL
        list(circuit.events_until(scanned, lambda e: e.extras.status == AlarmStatus.NO_ALARM))
        good = circuit.monitor(circuit.connect("f:good"))
        list(circuit.events_until(good, lambda e: e.value >= 2))
        assert circuit.get(got).value == 60
        assert alarm_of("got") == (AlarmStatus.NO_ALARM, 0)
        assert alarm_of("ended") == (AlarmStatus.SCAN, MAJOR)

        seen = counters()
        failures = seen["hook_failures"]
        assert failures.pop("scan") >= 2
        assert failures == {"restore": 1, "startup": 2, "putter": 1, "getter": 1}
        assert seen["tasks_failed"] == 3
    ioc.stop()
    log = "\n".join(ioc.lines)
    for text in (
        "f:restored: the restore hook failed",
        "f:started: the startup hook failed",
        "the startup hook of the IOC failed",
        "f:scanned: the scan hook failed",
        "f:ended: the scan has ended",
        "f:written: the putter failed",
        "f:got: the getter failed",
        "f:good: the shutdown hook failed",
        "f:good: the save hook failed",
        "RuntimeError: no such position",
    ):
        assert text in log
    assert log.count("RuntimeError: once and never again") == 1
    assert ioc.process.returncode == 0


def test_hooks_run_with_the_ioc_as_their_context(run_ioc: StartIoc) -> None:
    ioc = run_ioc("plain", "--prefix", "my:ioc:")
    with RawCircuit(ioc.port) as circuit:
        text = bytes(circuit.get(circuit.connect("my:ioc:counters"), 4).values).decode()
    seen = json.loads(text)
    assert (seen["name"], seen["state"], seen["connections"]) == ("my:ioc", "ready", 1)


def test_writes_to_a_pv_with_a_slow_putter_stay_in_order(run_ioc: StartIoc) -> None:
    ioc = run_ioc("slow")
    with RawCircuit(ioc.port) as circuit:
        slow = circuit.connect("slow:x")
        events = circuit.monitor(slow)
        assert circuit.event(events).value == 0
        began = time.monotonic()
        puts = [circuit.start_put(slow, value) for value in (8, 4, 2, 1)]
        assert [circuit.event(events).value for _ in puts] == [8, 4, 2, 1]
        assert [circuit.put_status(ioid) for ioid in puts] == [Eca.NORMAL] * 4
        # A completion is that of the putter: 10 ms for each unit written.
        # Timers of libuv have a resolution of 1 ms.
        assert time.monotonic() - began >= 0.145
        # Meanwhile others are served.
        held = circuit.connect("slow:held")
        late = circuit.start_put(held, 50)
        with RawCircuit(ioc.port) as other:
            assert other.get(other.connect("slow:held")).value == 0
            assert other.put(other.connect("slow:free"), 1) == Eca.NORMAL
        assert circuit.put_status(late) == Eca.NORMAL
        assert circuit.get(held).value == 50
