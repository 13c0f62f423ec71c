"""What the hooks of the helpers do, on a machine, a clock and a server that the test owns."""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from fake_host import FakeHost

from ioc_ops.group import PVGroup
from ioc_ops.server import RESTART, Context
from ioc_ops.status import BasicStatusHelper, PeriodicStatusHelper, ProcessProbe


class StoppedError(Exception):
    """Ends a hook that would run as long as the IOC."""


class FakeLibrary:
    """The async library as hooks see it; ``sleep`` moves its clock and ends the hook at last."""

    name = "fake"

    def __init__(self, sleeps: int, between: Callable[[int], None] = lambda n: None) -> None:
        self.now = 1000.0
        self.slept: list[float] = []
        self.threads: set[int] = set()
        self._sleeps = sleeps
        self._between = between

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if len(self.slept) == self._sleeps:
            raise StoppedError
        self.slept.append(seconds)
        self.now += seconds
        self._between(len(self.slept))

    async def run_in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        def note() -> Any:
            self.threads.add(threading.get_ident())
            return function(*arguments)

        return await asyncio.to_thread(note)


def run(group: PVGroup, hook: Callable[[], Coroutine[Any, Any, None]], **context: Any) -> Context:
    """Run ``hook`` as the server of ``group`` would; the server it ran in."""
    server = Context(group.pvdb, **{"name": "x", "started_at": 1_700_000_000.0, **context})

    async def main() -> None:
        server.attach(lambda callback: callback(), lambda *_: None, lambda: None)
        try:
            await hook()
        except StoppedError:
            pass

    asyncio.run(main())
    return server


def basic(host: FakeHost, **environ: str) -> BasicStatusHelper:
    return BasicStatusHelper("", probe=ProcessProbe(host, environ))


def periodic(host: FakeHost) -> PeriodicStatusHelper:
    return PeriodicStatusHelper("", probe=ProcessProbe(host, {}))


def started(group: PVGroup, suffix: str, library: FakeLibrary) -> Callable[[], Any]:
    """The startup hook of a PV."""
    instance = group.pvdb[suffix]
    return lambda: instance.pvspec.startup(group, instance, library)


def test_facts_appear_at_the_start_read_off_the_loop() -> None:
    library = FakeLibrary(0)
    group = basic(FakeHost(), ENGINEER="Ada")
    run(group, started(group, "PROCESS_ID", library))
    values = {suffix: pv.value for suffix, pv in group.pvdb.items()}
    assert values["PROCESS_ID"] == 4711.0
    assert values["ENGINEER"] == "Ada"
    assert values["LOCATION"] == "<not available>"
    assert values["EPICS_VERSION"] == "ioc_ops 9.9 on Python 3.11.2"
    assert values["APP_DIR"] == values["APP_DIR1"] + values["APP_DIR2"]
    assert library.threads
    assert threading.get_ident() not in library.threads


def test_a_text_longer_than_its_array_is_cut_not_lost() -> None:
    group = basic(FakeHost(directory="/d" * 200, source_file="/s" * 200))
    run(group, started(group, "PROCESS_ID", FakeLibrary(0)))
    assert group.pvdb["APP_DIR"].value == ("/d" * 200)[:159]
    assert group.pvdb["SOURCE_FILE"].value == ("/s" * 200)[:254]


def test_a_failing_fact_costs_itself_alone(caplog: pytest.LogCaptureFixture) -> None:
    group = basic(FakeHost(parent_id=OSError("no"), hostname=OSError("no")))
    with caplog.at_level(logging.ERROR):
        run(group, started(group, "PROCESS_ID", FakeLibrary(0)))
    assert not caplog.records
    assert group.pvdb["PARENT_ID"].severity.name == "INVALID_ALARM"
    assert group.pvdb["HOSTNAME"].value == "<not available>"
    assert group.pvdb["PROCESS_ID"].severity.name == "NO_ALARM"
    assert group.pvdb["KERNEL_VERS"].value == "Linux 6.1.0 x86_64"


def test_a_failing_reading_shows_as_invalid_until_it_works_again() -> None:
    host = FakeHost(resident=OSError("no"))
    group = periodic(host)
    seen = []

    def between(tick: int) -> None:
        used, free = group.pvdb["MEM_USED"], group.pvdb["MEM_FREE"]
        seen.append((used.value, used.severity.name, free.value, free.severity.name))
        host.answers["resident"] = 5_000_000 if tick < 19 else OSError("again")

    run(group, started(group, "CA_CLNT_CNT", FakeLibrary(21, between)))
    good = (8e9, "NO_ALARM")
    assert seen[0] == (0.0, "INVALID_ALARM", *good)
    assert seen[10] == (5e6, "NO_ALARM", *good)
    assert seen[19] == (5e6, "NO_ALARM", *good)
    assert seen[20] == (5e6, "INVALID_ALARM", *good)  # the last value, marked


@pytest.mark.parametrize("broken", ["read_clock", "read_loop", "read_server"])
def test_a_reading_that_raises_costs_itself_alone(
    broken: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("injected")

    monkeypatch.setattr(f"ioc_ops.status.periodic.{broken}", fail)
    group = periodic(FakeHost())
    beats, watch = FakeLibrary(3), FakeLibrary(30)
    run(group, started(group, "HEARTBEAT", beats))
    run(group, started(group, "CA_CLNT_CNT", watch))
    assert group.heartbeat.value == 4
    bad = {
        "read_clock": {"TOD", "UPTIME", "STARTTOD"},
        "read_loop": {"LOOP_LAG_MAX", "LOOP_LAG_P99"},
        "read_server": {"CA_CLNT_CNT", "CA_CONN_CNT", "RECORD_CNT", "SUSP_TASK_CNT"},
    }[broken]
    for suffix in bad:
        pv = group.pvdb[suffix]
        assert pv.value == "<not available>" or pv.severity.name == "INVALID_ALARM", suffix
    good = {"TOD", "GTIM_TIME", "LOOP_LAG_MAX", "CA_CLNT_CNT", "CA_GET_RATE", "MEM_USED"} - bad
    for suffix in good:
        pv = group.pvdb[suffix]
        assert pv.severity.name == "NO_ALARM", suffix
        assert pv.value != "<not available>", suffix
    assert caplog.text.count("injected") == 1  # told once, not each second


def test_rates_are_means_since_the_reading_before() -> None:
    group = periodic(FakeHost())
    server = Context(group.pvdb)
    server.counters.writes = 1000  # long ago
    seen = []

    def between(tick: int) -> None:
        server.counters.events_sent += 20
        server.counters.writes += 1
        pvs = [group.pvdb[f"CA_{kind}_RATE"] for kind in ("EVENT", "PUT", "GET")]
        seen.append([(pv.value, pv.severity.name) for pv in pvs])

    async def main() -> None:
        server.attach(lambda callback: callback(), lambda *_: None, lambda: None)
        with pytest.raises(StoppedError):
            await started(group, "CA_CLNT_CNT", FakeLibrary(16, between))()

    asyncio.run(main())
    assert {severity for _, severity in seen[0]} == {"INVALID_ALARM"}  # nothing known yet
    assert seen[15] == [(20.0, "NO_ALARM"), (1.0, "NO_ALARM"), (0.0, "NO_ALARM")]


def test_all_is_read_at_once_and_then_with_the_default_periods() -> None:
    host = FakeHost()
    group = periodic(host)
    library = FakeLibrary(60)
    run(group, started(group, "CA_CLNT_CNT", library))
    assert set(library.slept) == {1.0}
    assert host.asked.count("resident") == 7  # every 10 s
    assert host.asked.count("descriptors") == 4  # every 20 s
    assert host.asked.count("process_busy") == 7  # every 10 s
    assert threading.get_ident() not in library.threads


def test_a_written_period_counts_from_the_next_second_on() -> None:
    host = FakeHost()
    group = periodic(host)

    def between(tick: int) -> None:
        if tick == 3:
            group.memory_period.restore(2.0)

    run(group, started(group, "CA_CLNT_CNT", FakeLibrary(9, between)))
    assert host.asked.count("resident") == 5  # at 0, 3, 5, 7 and 9 s


@pytest.mark.parametrize(("period", "taken"), [(0.0, 1), (0.9, 1), (60.1, 60), (-1.0, 1), (7, 7)])
def test_a_period_out_of_bounds_is_clamped_as_by_an_ao_record(period: float, taken: float) -> None:
    group = periodic(FakeHost())
    asyncio.run(group.descriptors_period.write(period))
    assert group.descriptors_period.value == taken


@pytest.mark.parametrize("suffix", ["FD_UPD_TIME", "UPD_TIME"])
def test_a_period_must_be_a_number(suffix: str) -> None:
    group = periodic(FakeHost())
    before = group.pvdb[suffix].value
    with pytest.raises(ValueError, match="UPD_TIME"):
        asyncio.run(group.pvdb[suffix].write(float("nan")))
    assert group.pvdb[suffix].value == before
    assert group.descriptors_period.value == 20.0


def test_the_one_period_of_caproto_sets_them_all() -> None:
    group = periodic(FakeHost())
    asyncio.run(group.all_periods.write(3.0))
    names = ("CA_UPD_TIME", "FD_UPD_TIME", "LOAD_UPD_TIME", "MEM_UPD_TIME", "UPD_TIME")
    assert {group.pvdb[name].value for name in names} == {3.0}


def test_readings_beyond_the_display_limits_are_shown_and_alarms_follow_the_limits() -> None:
    host = FakeHost(descriptor_limit=100_000, descriptors=12)
    group = periodic(host)

    def between(tick: int) -> None:
        free = group.pvdb["FD_FREE"]
        if tick == 1:
            assert (free.value, free.severity.name) == (99_988.0, "NO_ALARM")
            host.answers["descriptor_limit"] = 30
        elif tick == 21:
            assert (free.value, free.status.name) == (18.0, "LOW")
            host.answers["descriptor_limit"] = 17
        elif tick == 41:
            assert (free.value, free.status.name) == (5.0, "LOLO")

    library = FakeLibrary(41, between)
    run(group, started(group, "CA_CLNT_CNT", library))
    assert len(library.slept) == 41


def test_dead_tasks_are_counted_and_alarming() -> None:
    group = periodic(FakeHost())
    server = Context(group.pvdb, name="x")
    server.tasks_failed = 2

    async def main() -> None:
        server.attach(lambda callback: callback(), lambda *_: None, lambda: None)
        with pytest.raises(StoppedError):
            await started(group, "CA_CLNT_CNT", FakeLibrary(0))()

    asyncio.run(main())
    tasks = group.pvdb["SUSP_TASK_CNT"]
    assert (tasks.value, tasks.severity.name) == (2.0, "MAJOR_ALARM")
    assert group.pvdb["RECORD_CNT"].value == len(group.pvdb)


def test_the_beat_keeps_the_second_and_makes_up_nothing_after_a_stall() -> None:
    group = periodic(FakeHost())
    beats = []

    def between(tick: int) -> None:
        beats.append(group.heartbeat.value)
        library.now += {1: 0.3, 2: 5.2}.get(tick, 0.0)  # the loop was busy that long

    library = FakeLibrary(5, between)
    run(group, started(group, "HEARTBEAT", library))
    assert beats == [1, 2, 3, 4, 5]
    assert library.slept == pytest.approx([1.0, 0.7, 0.8, 1.0, 1.0])


def test_start_count_goes_on_from_what_was_restored() -> None:
    group = periodic(FakeHost())
    group.start_count.restore(41.0)
    run(group, started(group, "START_CNT", FakeLibrary(0)))
    assert group.start_count.value == 42.0


@pytest.mark.parametrize(
    ("state", "severity"),
    [
        ("Running", "NO_ALARM"),
        ("Maintenance", "MINOR_ALARM"),
        ("Test", "MINOR_ALARM"),
        ("OFFLINE", "MAJOR_ALARM"),
    ],
)
def test_access_has_the_severity_of_its_state(state: str, severity: str) -> None:
    group = periodic(FakeHost())
    asyncio.run(group.access.write(state))
    assert (group.access.value, group.access.severity.name) == (state, severity)
    again = periodic(FakeHost())
    again.access.restore(state)
    assert (again.access.value, again.access.severity.name) == (state, severity)


@pytest.mark.parametrize("suffix", ["SYSRESET", "SysReset"])
def test_only_a_written_1_asks_for_a_restart(suffix: str) -> None:
    group = basic(FakeHost())
    asked = []

    async def main(value: float) -> int:
        server = Context(group.pvdb, name="x")
        server.attach(lambda callback: callback(), lambda *_: None, lambda: asked.append(value))
        await group.pvdb[suffix].write(value)
        return server.exit_status

    assert [asyncio.run(main(value)) for value in (0.0, 2.0, 1.0)] == [0, 0, RESTART]
    assert asked == [1.0]


def test_an_update_without_a_change_tells_the_monitors_nothing() -> None:
    class Feed:
        mask = 1  # VALUE

        def __init__(self) -> None:
            self.posts = 0

        def post(self) -> None:
            self.posts += 1

    group = periodic(FakeHost())
    memory = group.pvdb["MEM_MAX"]
    feed = Feed()
    memory.subscribe(feed)
    run(group, started(group, "CA_CLNT_CNT", FakeLibrary(25)))
    assert memory.value == 16e9
    assert feed.posts == 1
