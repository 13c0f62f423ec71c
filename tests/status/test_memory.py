"""Memory tracing: the comparisons by themselves, the helper's PVs, and a leak in a real IOC."""

import gc
import linecache
import os
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from tracemalloc import Filter
from typing import Any

import pytest
from caproto import ChannelType as CaprotoType
from fake_host import FakeHost
from here import ENV, HERE
from one_shot_client import read, write
from test_helpers import FakeLibrary, run
from waiting import until

from ioc_ops.status import MemoryTracingHelper, get_top_allocation_info
from ioc_ops.status.memory_trace import (
    TRACEMALLOC_FILTERS,
    CollectorReading,
    Tracer,
    filters_of,
    size_text,
)

LEAK_LINE = 1 + next(
    number
    for number, line in enumerate((HERE / "ioc_leak.py").read_text().splitlines())
    if "# the leak" in line
)


@pytest.fixture
def tracer() -> Iterator[Tracer]:
    """Sees what this file allocates."""
    made = Tracer([tracemalloc.Filter(True, __file__)])
    made.start()
    yield made
    made.stop()
    assert not tracemalloc.is_tracing()


def test_growth_is_named_by_file_and_line_and_measured(tracer: Tracer) -> None:
    first = tracer.look(3)
    assert (first.growth, first.difference, first.since_baseline) == (0, "", "")
    kept = [bytearray(100_000)]
    second = tracer.look(3)
    line = next(i for i in range(1, 999) if "kept = [byte" in linecache.getline(__file__, i))
    assert second.difference.startswith(f"{__file__}:{line}: +97.")
    assert second.since_baseline.splitlines()[0] == second.difference.splitlines()[0]
    assert second.growth == pytest.approx(100_000, abs=2000)
    assert second.top.startswith(f"{__file__}:{line}: 97.")
    assert second.current >= 100_000
    kept.clear()
    third = tracer.look(3)
    # Against the look before it has shrunk, against the baseline nothing has happened.
    assert f"{__file__}:{line}: -97." in third.difference
    assert third.growth == pytest.approx(0, abs=2000)
    assert third.peak >= second.current
    assert third.seconds > 0
    assert third.overhead > 0


def test_operators_filter_by_names_of_files(tracer: Tracer) -> None:
    kept = bytearray(10_000)
    assert __file__ in tracer.look(3).top
    tracer.use(f"-{__file__}")
    hidden = tracer.look(3)
    assert (hidden.top, hidden.is_baseline) == ("", True)
    tracer.use(f"-{__file__}")
    assert not tracer.look(3).is_baseline  # the same filters again: nothing begins anew
    tracer.use("")
    again = tracer.look(3)
    assert (again.is_baseline, again.difference) == (True, "")
    assert __file__ in again.top
    assert len(kept) == 10_000


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ("", []),
        ("*/motors/*", [(True, "*/motors/*")]),
        (" a.py  -*/b/* ", [(True, "a.py"), (False, "*/b/*")]),
        ("-", [(False, "")]),
    ],
)
def test_filters_are_written_as_words(text: str, filters: list[tuple[bool, str]]) -> None:
    assert [(f.inclusive, f.filename_pattern) for f in filters_of(text)] == filters


def test_a_new_baseline_begins_a_new_count(tracer: Tracer) -> None:
    tracer.look(3)
    kept = bytearray(50_000)
    again = tracer.look(3, rebase=True)
    assert (again.growth, again.since_baseline) == (0, "")
    assert tracer.look(3).growth < 5000
    assert len(kept) == 50_000


def test_a_snapshot_is_listed_as_by_caproto(tracer: Tracer) -> None:
    kept = bytearray(50_000)
    snapshot = tracemalloc.take_snapshot()
    (line,) = get_top_allocation_info(snapshot, limit=1, filters=[Filter(True, __file__)])
    assert line.startswith(f"{__file__}:")
    assert ": 48." in line
    assert 1 < len(get_top_allocation_info(snapshot, key_type="filename")) <= 20
    assert len(kept) == 50_000


def test_lists_are_as_long_as_wanted(tracer: Tracer) -> None:
    tracer.look(1)
    kept = bytearray(10_000)
    more = bytearray(20_000)
    reading = tracer.look(1)
    assert len(reading.top.splitlines()) == len(reading.difference.splitlines()) == 1
    assert tracer.look(0).top == ""
    assert (len(kept), len(more)) == (10_000, 20_000)


def test_tracing_that_somebody_else_began_goes_on() -> None:
    tracemalloc.start()
    try:
        tracer = Tracer(TRACEMALLOC_FILTERS)
        tracer.start()
        tracer.stop()
        assert tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def test_a_snapshot_file_is_whole_or_not_there(tracer: Tracer, tmp_path: Path) -> None:
    path = tmp_path / "memory.tracemalloc"
    kept = bytearray(33_333)
    assert tracer.save(path) == path.stat().st_size
    places = tracemalloc.Snapshot.load(str(path)).statistics("filename")
    assert any(place.traceback[0].filename == __file__ for place in places)
    with pytest.raises(OSError, match="nowhere"):
        tracer.save(tmp_path / "nowhere" / "memory.tracemalloc")
    assert os.listdir(tmp_path) == [path.name]
    assert len(kept) == 33_333


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (-1023, "-1023 B"), (1536, "1.5 KiB"), (5 << 20, "5.0 MiB"), (3 << 30, "3.0 GiB")],
)
def test_sizes_are_for_people(size: int, text: str) -> None:
    assert size_text(size) == text


def test_the_collector_is_read_as_it_is() -> None:
    before = CollectorReading.now()
    cycle: list[Any] = []
    cycle.append(cycle)
    del cycle
    gc.collect()
    after = CollectorReading.now()
    assert after.collected > before.collected
    assert after.uncollectable == sum(s["uncollectable"] for s in gc.get_stats())


class WaitingLibrary(FakeLibrary):
    """Its events wait as ``sleep`` does."""

    def Event(self) -> Any:  # noqa: N802 - the name that users know
        library = self

        class Event:
            def set(self) -> None: ...

            def clear(self) -> None: ...

            async def wait(self, timeout: float) -> bool:  # noqa: ASYNC109
                await library.sleep(timeout)
                return False

        return Event()


def watched(group: MemoryTracingHelper, looks: int, between: Callable[[int], None]) -> list[float]:
    """Run the helper for some looks; how long it waited between them."""
    library = WaitingLibrary(looks - 1, between)
    instance: Any = group.enable_tracing
    run(group, lambda: instance.pvspec.startup(group, instance, library))
    assert threading.get_ident() not in library.threads  # never on the loop
    assert len(library.threads) >= 1
    return library.slept


def test_the_names_are_those_of_caproto_and_more() -> None:
    group = MemoryTracingHelper("m:")
    assert group.filters == list(TRACEMALLOC_FILTERS)
    for name in ("EnableTracing", "TraceDiffResults", "TraceTopAllocations", "TraceCount"):
        assert f"m:{name}" in group.pvdb
    assert group.diff_results.max_length == group.top_allocations.max_length == 20_000
    assert (group.enable_tracing.value, group.trace_count.value) == ("Disable", 10)


def test_without_tracing_only_the_process_is_read() -> None:
    group = MemoryTracingHelper("m:", host=FakeHost(), period=7.0)  # type: ignore[arg-type]
    group.save_snapshot.restore(1)
    assert watched(group, 3, lambda look: None) == [7.0, 7.0]
    assert not tracemalloc.is_tracing()
    assert group.resident.value == 64_000_000
    assert group.collected.value > 0
    assert group.current.value == 0
    assert "nothing is traced" in group.snapshot_file.value
    assert group.snapshot_file.severity.name == "MAJOR_ALARM"
    assert group.save_snapshot.value == "Done"


def test_a_process_that_cannot_be_read_costs_one_pv() -> None:
    host: Any = FakeHost(resident=OSError("no"))
    group = MemoryTracingHelper("m:", host=host)
    watched(group, 2, lambda look: None)
    assert group.resident.severity.name == "INVALID_ALARM"
    assert group.young.value > 0


def test_tracing_shows_growth_and_ends_when_disabled(tmp_path: Path) -> None:
    only_here = [tracemalloc.Filter(True, __file__)]
    host: Any = FakeHost()
    group = MemoryTracingHelper("m:", filters=only_here, host=host, directory=tmp_path)
    group.enable_tracing.restore("Enable")
    kept = []
    seen: list[tuple[float, str, bool]] = []

    def between(look: int) -> None:
        seen.append((group.growth.value, group.growth_results.value, tracemalloc.is_tracing()))
        assert (group.traced_current, group.traced_peak) == (group.current.value, group.peak.value)
        assert (group.traced_current > 0) is tracemalloc.is_tracing()
        if look == 1:
            kept.append(bytearray(200_000))
            group.save_snapshot.restore(1)
        elif look == 2:
            group.set_baseline.restore(1)
        elif look == 3:
            group.enable_tracing.restore("Disable")

    watched(group, 5, between)
    growths, lists, traced = zip(*seen, strict=True)
    assert growths[0] == 0
    assert growths[1] == pytest.approx(200_000, abs=3000)
    assert lists[1].startswith(__file__)
    assert growths[2] == 0
    assert list(traced) == [True, True, True, False]
    assert group.set_baseline.value == "Done"
    assert group.baseline_time.value == ""
    assert group.trace_seconds.value > 0
    assert lists[3] == lists[2]  # what was found last can still be read
    assert (group.overhead.value, group.current.value) == (0, 0)
    (name,) = os.listdir(tmp_path)
    assert group.snapshot_file.value == str(tmp_path / name)
    assert name.startswith("memory-m-")


def get(suffix: str) -> Any:
    """The value of a PV of the leaking IOC: text of an array, else a number."""
    answer = read(f"lk:{suffix}", force_int_enums=True)
    if answer.data_type == CaprotoType.CHAR:
        return bytes(answer.data).rstrip(b"\0").decode()
    return answer.data[0]


def put(suffix: str, value: Any) -> None:
    """Write with completion."""
    write(f"lk:{suffix}", [value], notify=True)


def test_a_leak_in_an_ioc_is_named_by_file_and_line(ioc: Callable[..., Any]) -> None:
    process = ioc("ioc_leak", env=ENV)
    until(lambda: get("Mem:RSS") > 1e6)
    put("Mem:EnableTracing", 1)
    until(lambda: get("Mem:TracedCurrent") > 0)
    put("leak", 1)
    put("Mem:SetBaseline", 1)
    until(lambda: get("Mem:SetBaseline") == 0)
    place = f"ioc_leak.py:{LEAK_LINE}: +"
    until(lambda: place in str(get("Mem:GrowthResults")).split("\n")[0])
    until(lambda: get("Mem:TraceGrowth") > 2000)
    until(lambda: place in get("Mem:TraceDiffResults"))
    assert 0 < get("Mem:TraceSeconds") < 60
    write("lk:Mem:TraceFilter", b"*/nothing/*", notify=True)
    until(lambda: get("Mem:TraceTopAllocations") == "")
    write("lk:Mem:TraceFilter", b"*ioc_leak.py", notify=True)
    until(lambda: place in str(get("Mem:GrowthResults")))
    put("Mem:SaveSnapshot", 1)
    until(lambda: get("Mem:SaveSnapshot") == 0)
    path = Path(get("Mem:SnapshotFile"))
    assert path.parent == Path(os.path.realpath(process.cwd))
    assert tracemalloc.Snapshot.load(str(path)).traces
    put("Mem:EnableTracing", 0)
    until(lambda: get("Mem:BaselineTime") == b"")
