"""Readings from a machine that the test owns, and from this one."""

import logging
import os
import threading
from types import SimpleNamespace

import psutil
import pytest
from fake_host import ANSWERS, FakeHost

from ioc_ops.status import HostReading, LocalHost, ProcessProbe, read_clock, read_server


def test_host_facts_are_read_as_they_are() -> None:
    reading = ProcessProbe(FakeHost(), {"ENGINEER": "Ada", "LOCATION": "B 24"}).host()
    directory = str(ANSWERS["directory"])
    assert reading == HostReading(
        hostname="ioc-host",
        kernel="Linux 6.1.0 x86_64",
        cpus=4,
        process_id=4711,
        parent_id=1,
        engineer="Ada",
        location="B 24",
        release="ioc_ops 9.9",
        version="ioc_ops 9.9 on Python 3.11.2",
        source_file="/opt/iocs/my_ioc.py",
        directory=directory,
        directory_head=directory[:39],
        directory_tail=directory[39:78],
        script="/opt/iocs/my_ioc.py",
        script_head="/opt/iocs/my_ioc.py",
        script_tail="",
    )


def test_a_directory_whose_name_is_no_utf8_is_shown_with_question_marks() -> None:
    reading = ProcessProbe(FakeHost(directory="/iocs/m\udcfcller/" + "x" * 40), {}).host()
    assert reading.directory_head == "/iocs/m?ller/" + "x" * 26
    assert reading.directory_tail == "x" * 14


@pytest.mark.parametrize(
    ("environ", "script"),
    [
        ({"STARTUP": "/boot", "ST_CMD": "st.cmd", "IOCSH_STARTUP_SCRIPT": "no"}, "/boot/st.cmd"),
        ({"IOCSH_STARTUP_SCRIPT": "/boot/iocsh"}, "/boot/iocsh"),
        ({}, "/opt/iocs/my_ioc.py"),
    ],
)
def test_the_startup_script_is_looked_for_where_iocstats_looks(
    environ: dict[str, str], script: str
) -> None:
    assert ProcessProbe(FakeHost(), environ).host().script == script


def test_only_epics_variables_are_shown() -> None:
    environ = {"EPICS_CA_ADDR_LIST": "10.0.0.1", "PASSWORD": "secret"}
    assert ProcessProbe(FakeHost(), environ).host().environment == {
        "EPICS_CA_ADDR_LIST": "10.0.0.1"
    }


@pytest.mark.parametrize(
    ("environ", "engineer"),
    [
        ({"ENGINEER": "a", "LOGNAME": "b", "USER": "c"}, "a"),
        ({"ENGINEER": "", "LOGNAME": "b", "USER": "c"}, "b"),
        ({"USER": "c"}, "c"),
        ({}, None),
    ],
)
def test_engineer_is_looked_for_where_iocstats_looks(
    environ: dict[str, str], engineer: str | None
) -> None:
    assert ProcessProbe(FakeHost(), environ).host().engineer == engineer


@pytest.mark.parametrize("broken", sorted(ANSWERS))
def test_one_failing_answer_leaves_the_rest(broken: str) -> None:
    whole = ProcessProbe(FakeHost(), {})
    partial = ProcessProbe(FakeHost(**{broken: OSError("gone")}), {})
    lost = []
    for name in ("host", "memory", "descriptors"):
        expected, got = getattr(whole, name)(), getattr(partial, name)()
        lost += [f for f in expected.__slots__ if getattr(got, f) != getattr(expected, f)]
    also = {
        "directory": ["directory", "directory_head", "directory_tail"],
        "release": ["release", "version"],
        "python": ["version"],
        "source_file": ["script", "script_head", "script_tail", "source_file"],
        "descriptors": ["used", "free"],
        "descriptor_limit": ["limit", "free"],
    }
    named = {"resident": "used", "memory_available": "available", "memory_total": "total"}
    clocks = {"monotonic", "system_busy", "process_busy"}
    expected_lost = [] if broken in clocks else also.get(broken, [named.get(broken, broken)])
    assert sorted(lost) == sorted(expected_lost)


def test_a_failure_is_reported_once_until_it_has_worked_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    host = FakeHost(resident=psutil.AccessDenied(1))
    probe = ProcessProbe(host, {})
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert probe.memory().used is None
        assert len(caplog.records) == 1
        assert "resident memory" in caplog.text
        host.answers["resident"] = 1
        assert probe.memory().used == 1
        host.answers["resident"] = OSError("again")
        probe.memory()
    assert len(caplog.records) == 2


@pytest.mark.parametrize(("limit", "used", "free"), [(1024, 12, 1012), (10, 12, -2), (0, 12, 1000)])
def test_free_descriptors_are_the_limit_less_those_in_use(limit: int, used: int, free: int) -> None:
    probe = ProcessProbe(FakeHost(descriptor_limit=limit, descriptors=used), {})
    assert probe.descriptors().free == free


def test_load_is_the_share_of_all_cpus_since_the_reading_before() -> None:
    host = FakeHost(cpus=4, monotonic=100.0, system_busy=50.0, process_busy=5.0)
    probe = ProcessProbe(host, {})
    first = probe.load()
    assert (first.system, first.process) == (None, None)
    host.answers.update(monotonic=110.0, system_busy=70.0, process_busy=9.0)
    second = probe.load()
    assert (second.system, second.process) == (50.0, 10.0)  # 20 and 4 of 40 CPU seconds


def test_load_stays_within_0_and_100_percent_whatever_the_clocks_say() -> None:
    host = FakeHost(cpus=1)
    probe = ProcessProbe(host, {})
    probe.load()
    host.answers.update(monotonic=101.0, system_busy=60.0, process_busy=4.0)
    reading = probe.load()
    assert (reading.system, reading.process) == (100.0, 0.0)
    assert probe.load().system is None  # no time has passed: nothing to divide by
    host.answers.update(monotonic=102.0, system_busy=0.0, process_busy=0.0)
    assert probe.load().system == 0.0


def test_load_goes_on_after_a_failure_in_between() -> None:
    host = FakeHost(cpus=1)
    probe = ProcessProbe(host, {})
    probe.load()
    host.answers.update(monotonic=101.0, system_busy=OSError("no"), process_busy=5.5)
    reading = probe.load()
    assert (reading.system, reading.process) == (None, 50.0)
    host.answers.update(monotonic=102.0, system_busy=50.5, process_busy=5.5)
    assert (probe.load().system, probe.load().process) == (None, None)
    host.answers.update(monotonic=103.0, system_busy=51.0)
    assert probe.load().system == 50.0


def test_server_counts() -> None:
    def circuit(
        user: str, host: str, channels: int, monitors: int, congested: bool = False
    ) -> SimpleNamespace:
        return SimpleNamespace(
            user=user,
            client_host=host,
            channels=dict.fromkeys(range(channels)),
            subscription_count=monitors,
            congested=congested,
        )

    context = SimpleNamespace(
        circuits=[
            circuit("ada", "desk", 2, 1),
            circuit("ada", "desk", 3, 0),
            circuit("ada", "rack", 4, 4, congested=True),
        ],
        pvdb=dict.fromkeys("abc"),
        tasks_failed=7,
    )
    reading = read_server(context)
    assert (reading.circuits, reading.clients) == (3, 2)
    assert (reading.channels, reading.subscriptions) == (9, 5)
    assert (reading.congested, reading.pvs, reading.failed_tasks) == (1, 3, 7)


def test_clock_texts_agree_with_one_another() -> None:
    reading = read_clock(1_700_000_000.0, 1_700_000_000.0 + 90_061)
    assert reading.uptime == "1 day, 01:01:01"
    assert reading.started is not None
    assert reading.started != reading.now


def test_this_machine_answers_everything_plausibly() -> None:
    reading = ProcessProbe(LocalHost(), {}).host()
    assert reading.process_id == os.getpid()
    assert reading.parent_id == os.getppid()
    assert reading.directory == os.getcwd()
    assert reading.kernel is not None
    assert reading.kernel.split()[0] == os.uname().sysname
    assert None not in (reading.hostname, reading.release, reading.version, reading.source_file)

    memory = ProcessProbe(LocalHost(), {}).memory()
    assert memory.used is not None
    assert memory.available is not None
    assert memory.total is not None
    assert 1_000_000 < memory.used < memory.total  # bytes, not kilobytes
    assert memory.available < memory.total


def test_descriptors_and_threads_of_this_process_are_counted() -> None:
    probe = ProcessProbe(LocalHost(), {})
    before = probe.descriptors()
    reader, writer = os.pipe()
    release = threading.Event()
    thread = threading.Thread(target=release.wait)
    thread.start()
    after = probe.descriptors()
    release.set()
    thread.join()
    os.close(reader)
    os.close(writer)
    assert before.used is not None
    assert before.threads is not None
    assert (after.used, after.threads) == (before.used + 2, before.threads + 1)
    assert before.used == len(os.listdir("/proc/self/fd")) - 1
