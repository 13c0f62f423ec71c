"""Scan monitors, queues and General Time, on a clock and a server that the test owns."""

import asyncio
import math
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fake_host import FakeHost
from test_helpers import FakeLibrary, StoppedError, periodic, run, started

from ioc_ops.server import Context
from ioc_ops.status import StatusHelper
from ioc_ops.status.general_time import GeneralTime
from ioc_ops.status.queues import QueueWatch
from ioc_ops.status.scan_monitor import limits_of


def test_limits_of_a_scan_monitor_are_those_of_iocstats() -> None:
    assert limits_of(10.0, 1.0, 5.0, absolute=True) == pytest.approx(
        {
            "upper_alarm_limit": 10.5,
            "upper_warning_limit": 10.1,
            "lower_warning_limit": -10.0,
            "lower_alarm_limit": -10.0,
        }
    )
    assert limits_of(10.0, 1.0, 5.0, absolute=False) == pytest.approx(
        {
            "upper_alarm_limit": 0.5,
            "upper_warning_limit": 0.1,
            "lower_warning_limit": -0.1,
            "lower_alarm_limit": -0.5,
        }
    )


def test_scan_monitors_show_the_time_between_two_calls() -> None:
    group = periodic(FakeHost())
    assert group.pvdb["01HZ_UPD_TIME"].severity.name == "INVALID_ALARM"
    library = FakeLibrary(101)
    run(group, started(group.scan_monitors, "SCANMON_SEVR", library))
    for name, period in (("01HZ", 10), ("02HZ", 5), ("1HZ", 1), ("5HZ", 0.2), ("10HZ", 0.1)):
        pv = group.pvdb[f"{name}_UPD_TIME"]
        assert pv.value == pytest.approx(period)
        assert pv.severity.name == "NO_ALARM", name
    assert group.pvdb["SCANMON_SEVR"].severity.name == "NO_ALARM"


def test_a_loop_that_is_held_up_shows_as_late_scans_and_in_the_summary() -> None:
    group = periodic(FakeHost())
    seen: list[tuple[Any, ...]] = []

    def between(tick: int) -> None:
        if tick == 25:
            library.now += 0.42
        late, second = group.pvdb["10HZ_UPD_TIME"], group.pvdb["1HZ_UPD_TIME"]
        worst = group.pvdb["SCANMON_SEVR"]
        seen.append((late.value, late.severity.name, second.severity.name, worst.severity.name))

    library = FakeLibrary(60, between)
    run(group, started(group.scan_monitors, "SCANMON_SEVR", library))
    assert max(value for value, *_ in seen) == pytest.approx(0.52)
    assert "MAJOR_ALARM" in {name for _, name, *_ in seen}
    worst = group.pvdb["SCANMON_SEVR"]
    assert worst.value == 0
    # A late scan of 10 Hz, 42 % of a second: what comes after is punctual again.
    assert seen[-1][1:3] == ("NO_ALARM", "NO_ALARM")


def test_a_scan_hook_that_is_late_shows_in_the_monitor_of_its_rate_alone() -> None:
    group = periodic(FakeHost())
    server = Context(group.pvdb)
    seen: list[tuple[float, float]] = []

    def between(tick: int) -> None:
        if tick == 15:
            server.scans[0.2].note(0.7, 0.2)
        seen.append((group.pvdb["5HZ_UPD_TIME"].value, group.pvdb["10HZ_UPD_TIME"].value))

    async def main() -> None:
        server.attach(lambda callback: callback(), lambda *_: None, lambda: None)
        with pytest.raises(StoppedError):
            await started(group.scan_monitors, "SCANMON_SEVR", FakeLibrary(20, between))()

    asyncio.run(main())
    fives, tens = zip(*seen, strict=True)
    assert max(fives) == 0.7
    assert fives[-1] == pytest.approx(0.2)
    assert max(tens) == pytest.approx(0.1)


def test_the_mode_relative_shows_what_a_scan_differs_by() -> None:
    group = periodic(FakeHost())
    group.pvdb["1HZ_MODE"].restore("Relative")
    group.pvdb["1HZ_UPD_TIME"].fields["C"].restore(20.0)

    def between(tick: int) -> None:
        if tick == 20:  # the second call comes 0.1 s late
            library.now += 0.1

    library = FakeLibrary(21, between)
    run(group, started(group.scan_monitors, "SCANMON_SEVR", library))
    monitor: Any = group.pvdb["1HZ_UPD_TIME"]
    assert monitor.value == pytest.approx(0.1)
    assert monitor.severity.name == "MINOR_ALARM"
    assert monitor.upper_alarm_limit == pytest.approx(0.2)


def context_of(*circuits: tuple[int, int], replaced: int = 0) -> Context:
    """A server with circuits of which (requests wait, bytes fit) is known."""
    made = [SimpleNamespace(waiting=waiting, room=room) for waiting, room in circuits]
    counters = SimpleNamespace(events_replaced=replaced)
    return cast("Context", SimpleNamespace(circuits=made, counters=counters))


def test_the_fullest_queue_counts_and_the_most_is_remembered() -> None:
    watch = QueueWatch()
    assert watch.read(context_of()).requests.used == 0
    reading = watch.read(context_of((10, 0x100000), (250, 0x80000), replaced=7))
    assert (reading.requests.used, reading.requests.used_percent) == (250, 25.0)
    assert (reading.output.used, reading.output.used_percent) == (0x80000, 50.0)
    assert (reading.output.overruns, reading.requests.overruns) == (7, 0)
    reading = watch.read(context_of((1, 0x100000)))
    assert (reading.requests.used, reading.requests.high, reading.requests.high_percent) == (
        1,
        250,
        25.0,
    )
    assert (reading.output.used, reading.output.high_percent) == (0, 50.0)
    assert reading.absent.size == 0


def test_queues_are_shown_every_second() -> None:
    group = periodic(FakeHost())
    run(group, started(group, "HEARTBEAT", FakeLibrary(0)))
    sizes = [group.pvdb[f"{name}_Q_SIZE"].value for name in ("SCANONCE", "CB")]
    assert sizes == [1000.0, float(0x100000)]
    for name in ("SCANONCE", "CBLOW", "CBMEDIUM", "CBHIGH"):
        for suffix in ("USED", "USEDPER", "HIGH", "HIGHPER", "OVERRUNS"):
            pv = group.pvdb[f"{name}_Q_{suffix}"]
            assert (pv.value, pv.severity.name) == (0.0, "NO_ALARM")


def test_general_time_counts_backward_steps_of_the_clock() -> None:
    clock = GeneralTime()
    assert clock.read(631_152_000 + 5.0).seconds == 5.0
    assert [clock.read(float(now)).errors for now in (10, 10, 9, 11, 3)] == [1, 1, 2, 2, 3]
    clock.reset()
    assert clock.read(math.inf).errors == 0


def test_an_error_of_the_clock_is_a_major_alarm_until_it_is_reset() -> None:
    group = periodic(FakeHost())
    group._time.read(1e12)  # now is long before
    run(group, started(group, "HEARTBEAT", FakeLibrary(0)))
    errors = group.pvdb["GTIM_ERR_CNT"]
    assert (errors.value, errors.severity.name) == (1, "MAJOR_ALARM")

    async def reset() -> None:
        await group.pvdb["GTIM_RESET"].fields["PROC"].write(0)

    run(group, reset)
    assert (errors.value, errors.severity.name) == (0, "NO_ALARM")


def test_queues_that_cannot_be_read_cost_themselves(caplog: pytest.LogCaptureFixture) -> None:
    group = periodic(FakeHost())
    group._queues.read = lambda context: 1 // 0  # type: ignore[method-assign]
    run(group, started(group, "HEARTBEAT", FakeLibrary(2)))
    assert group.heartbeat.value == 3
    assert group.pvdb["CBMEDIUM_Q_USED"].severity.name == "INVALID_ALARM"
    assert group.pvdb["GTIM_TIME"].severity.name == "NO_ALARM"
    assert "cannot read the queues" in caplog.text


def test_a_tolerance_that_is_no_number_counts_as_the_default() -> None:
    group = periodic(FakeHost())
    group.pvdb["10HZ_UPD_TIME"].fields["B"].restore(math.nan)
    run(group, started(group.scan_monitors, "SCANMON_SEVR", FakeLibrary(12)))
    monitor: Any = group.pvdb["10HZ_UPD_TIME"]
    assert monitor.upper_warning_limit == pytest.approx(0.101)


def test_the_environment_is_an_argument() -> None:
    helper = StatusHelper("", environ={"EPICS_TZ": "UTC", "ENGINEER": "Ada"})
    run(helper, started(helper.basic, "PROCESS_ID", FakeLibrary(0)))
    values = {suffix: pv.value for suffix, pv in helper.pvdb.items()}
    assert (values["TZ"], values["ENGINEER"]) == ("UTC", "Ada")
    assert (values["CA_SERVER_PORT"], values["CA_SRVR_PORT"]) == ("5064", "5064")
    assert values["CA_ADDR_LIST"] == ""


@pytest.mark.parametrize("suffix", ["READACF", "SYSRESET", "1HZ_UPD_TIME"])
def test_a_sub_record_that_fails_is_invalid(suffix: str) -> None:
    assert StatusHelper("").pvdb[suffix].fields["BRSV"].value == "INVALID"
