"""A real IOC as a process: its status PVs as a client of others sees them, and its metrics."""

import os
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from caproto import ChannelType as CaprotoType
from events import Event, follow
from here import ENV
from one_shot_client import read, write
from prometheus_client.parser import text_string_to_metric_families
from waiting import meanwhile, until

from ioc_ops.server import RESTART
from ioc_ops.status import TABLE


@pytest.fixture
def start(ioc: Callable[..., Any]) -> Callable[..., Any]:
    """Start ``ioc_status.py``."""

    def start(*arguments: str, **options: Any) -> Any:
        return ioc("ioc_status", *arguments, env=ENV, **options)

    return start


def get(suffix: str, **options: Any) -> Any:
    """The answer to one read of a status PV."""
    return read(f"st:Ioc:{suffix}", **options)


def value(suffix: str) -> Any:
    """Its value: a number, or text."""
    answer = get(suffix)
    if answer.data_type == CaprotoType.CHAR:
        return bytes(answer.data).decode()
    first = answer.data[0]
    return first.decode() if isinstance(first, bytes) else first


def put(name: str, new: Any, **options: Any) -> None:
    """Write with completion."""
    write(f"st:{name}", new, notify=True, **options)


def status(suffix: str, enough: Callable[[list[Event]], bool]) -> list[Event]:
    """The events of the monitor of a status PV until there are ``enough``."""
    return follow(f"st:Ioc:{suffix}", enough)


def seen_once(true: Callable[[float], bool]) -> Callable[[list[Event]], bool]:
    """Whether there has been such a value."""
    return lambda seen: true(seen[-1].value)


def test_values_are_those_of_this_process_and_this_host(start: Callable[..., Any]) -> None:
    process = start()
    put("Ioc:MEM_UPD_TIME", 1.0)
    status("MEM_USED", seen_once(lambda used: used > 0))
    status("FD_CNT", seen_once(lambda count: count > 0))
    status("PROCESS_ID", seen_once(lambda pid: pid == process.pid))
    assert value("PARENT_ID") == os.getpid()
    assert value("HOSTNAME") == socket.gethostname()[:39]
    uname = os.uname()
    assert value("KERNEL_VERS") == f"{uname.sysname} {uname.release} {uname.machine}"[:39]
    directory = os.path.realpath(process.cwd)
    assert value("APP_DIR") == directory
    assert (value("APP_DIR1"), value("APP_DIR2")) == (directory[:39], directory[39:78])
    assert value("EPICS_VERS").startswith("ioc_ops ")
    assert value("CPU_CNT") == os.cpu_count()
    # Between two reads there may be a new reading.
    until(lambda: value("FD_FREE") == value("FD_MAX") - value("FD_CNT"))
    assert value("RECORD_CNT") >= len(TABLE) + 1

    def resident() -> int:
        pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    until(lambda: value("MEM_USED") == pytest.approx(resident(), rel=0.2))
    assert 0 < value("MEM_FREE") < value("MEM_MAX")
    assert re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d", value("STARTTOD"))
    assert re.fullmatch(r"00:00:\d\d", value("UPTIME"))
    assert get("MEM_FREE", data_type="status").metadata.severity == 0


def test_heartbeat_counts_seconds_from_1(start: Callable[..., Any]) -> None:
    began = time.monotonic()
    start()
    beats = status("HEARTBEAT", lambda seen: len(seen) == 4)
    first = beats[0].value
    assert [beat.value for beat in beats] == [first + n for n in range(4)]
    assert 1 <= first <= 1 + time.monotonic() - began
    # The second of three may come late, and the next in its time.
    assert 0.9 < beats[3].timestamp - beats[1].timestamp < 10


def test_client_and_channel_counts_are_real(start: Callable[..., Any]) -> None:
    process = start()
    put("Ioc:CA_UPD_TIME", 1.0)
    # The monitor itself is one connection with one channel.
    status("CA_CLNT_CNT", seen_once(lambda count: count == 1))
    others = [socket.create_connection(("127.0.0.1", process.port)) for _ in range(3)]
    try:
        status("CA_CLNT_CNT", seen_once(lambda count: count == 4))
    finally:
        for other in others:
            other.close()
    status("CA_CLNT_CNT", seen_once(lambda count: count == 1))
    status("CA_CONN_CNT", seen_once(lambda count: count == 1))


def test_a_shorter_period_counts_at_once_and_loads_appear(start: Callable[..., Any]) -> None:
    start()
    put("Ioc:LOAD_UPD_TIME", 60.0)
    assert get("IOC_CPU_LOAD", data_type="status").metadata.severity == 3  # nothing known yet
    put("Ioc:LOAD_UPD_TIME", 1.0)
    # Of a machine that is busy all the time the load stays at 100: no events.
    answers: dict[float, Any] = {}

    def have_come(number: int) -> bool:
        answer = get("SYS_CPU_LOAD", data_type="time")
        answers[answer.metadata.timestamp] = answer
        return len(answers) >= number

    until(lambda: have_come(4), 20.0)
    assert answers.pop(max(answers)).metadata.severity < 3
    assert all(0 <= answer.data[0] <= 100 for answer in answers.values())
    assert get("IOC_CPU_LOAD", data_type="status").metadata.severity < 3


def test_a_slow_scan_hook_and_a_loop_that_was_stuck_show(start: Callable[..., Any]) -> None:
    start()
    put("late", 0.45)

    def late(seen: list[Event]) -> bool:
        # More than one: a machine that stands still for a moment is late as well.
        return sum(0.45 <= event.value < 2 and event.severity == 2 for event in seen) >= 3

    status("5HZ_UPD_TIME", late)
    put("block", 1.2)
    status("LOOP_LAG_MAX", lambda seen: 1 < seen[-1].value < 5 and seen[-1].severity == 1)
    assert 0 <= value("LOOP_LAG_P99") <= value("LOOP_LAG_MAX")


def test_rates_are_those_of_this_client(start: Callable[..., Any]) -> None:
    start()
    put("Ioc:CA_UPD_TIME", 1.0)
    status("CA_GET_RATE", lambda seen: seen[-1].value == 0 and seen[-1].severity == 0)
    # A priority of its own is a connection of its own, beside that of the monitor.
    with meanwhile(lambda: get("ACCESS", priority=1)):
        status("CA_GET_RATE", seen_once(lambda rate: rate >= 1))
    # The first event of the monitor is one that counts.
    status("CA_EVENT_RATE", seen_once(lambda rate: rate > 0))
    with meanwhile(lambda: put("late", 0.0, priority=1)):
        status("CA_PUT_RATE", seen_once(lambda rate: rate >= 1))
    for rate in ("CA_GET_RATE", "CA_PUT_RATE"):
        status(rate, seen_once(lambda rate: rate == 0))


def test_access_has_the_severity_of_its_state(start: Callable[..., Any]) -> None:
    start()
    for state, severity in (("Test", 1), ("OFFLINE", 2), ("Running", 0), ("Maintenance", 1)):
        put("Ioc:ACCESS", [state.encode()], data_type=CaprotoType.STRING)
        answer = get("ACCESS", data_type=CaprotoType.STS_STRING)
        assert (answer.data[0], answer.metadata.severity) == (state.encode(), severity)


def test_starts_are_counted_over_restarts_and_access_stays(start: Callable[..., Any]) -> None:
    process = start()
    assert value("START_CNT") == 1
    put("Ioc:ACCESS", [b"Test"], data_type=CaprotoType.STRING)
    for count in (2, 3):
        process.restart()
        assert value("START_CNT") == count
    answer = get("ACCESS", data_type=CaprotoType.STS_STRING)
    assert (answer.data[0], answer.metadata.severity) == (b"Test", 1)


@pytest.mark.parametrize("name", ["SYSRESET", "SysReset"])
def test_sysreset_answers_and_then_ends_with_the_status_of_a_restart(
    start: Callable[..., Any], name: str
) -> None:
    process = start(expect_exit=RESTART)
    put(f"Ioc:{name}", 0.0)
    assert process.process.poll() is None
    status("PROCESS_ID", seen_once(lambda pid: pid == process.pid))  # nothing happened
    put(f"Ioc:{name}", 1.0)  # raises without an answer
    assert process.wait(20.0) == RESTART


def http(url: str) -> tuple[int, str]:
    """Status and body."""
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_metrics_of_a_real_ioc_agree_with_its_pvs(
    start: Callable[..., Any], free_port: Callable[[], int]
) -> None:
    port = free_port()
    start("--metrics-port", str(port))
    assert http(f"http://127.0.0.1:{port}/readyz")[0] == 200
    put("Ioc:CA_UPD_TIME", 1.0)
    code, text = http(f"http://127.0.0.1:{port}/metrics")
    assert code == 200
    families = {family.name: family for family in text_string_to_metric_families(text)}

    def metric(name: str, **labels: str) -> float:
        samples = families[name.removesuffix("_total")].samples
        (sample,) = [s for s in samples if s.name == name and labels.items() <= s.labels.items()]
        assert sample.labels["ioc"] == "st"
        return sample.value

    assert metric("epics_ioc_pvs") == value("RECORD_CNT")
    assert metric("epics_ioc_ready") == 1
    assert metric("epics_ioc_hook_failures_total", hook="putter") == 0
    assert metric("epics_ioc_ca_writes_total") == 1
    assert metric("epics_ioc_ca_connections_total") >= 1
    assert metric("epics_ioc_ca_received_bytes_total") > 0
    assert metric("epics_ioc_event_loop_heartbeat_age_seconds") < 60
    assert metric("epics_ioc_autosave_pvs") == 70
    assert metric("epics_ioc_autosave_restore_failures") == 0
    assert abs(metric("epics_ioc_start_timestamp_seconds") - time.time()) < 60
    assert "process_resident_memory_bytes" in families


def test_healthz_tells_that_the_loop_is_stuck_while_it_is(
    start: Callable[..., Any], free_port: Callable[[], int]
) -> None:
    port = free_port()
    process = start("--metrics-port", str(port))
    url = f"http://127.0.0.1:{port}/healthz"
    assert http(url)[0] == 200
    began = time.monotonic()
    write("st:hang", 1.0, notify=False)
    until(lambda: http(url)[0] == 503)
    code, body = http(url)
    assert code == 503
    told = re.search(r"stuck for (\d+) s", body)
    assert told is not None
    assert 5 <= int(told[1]) <= 1 + time.monotonic() - began
    assert http(f"http://127.0.0.1:{port}/metrics")[0] == 200
    (process.cwd / "go_on").touch()
    until(lambda: http(url)[0] == 200)
