"""All that iocAdminSoft.db serves, against a live iocStats IOC; and what its screens need."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from here import ENV, HERE
from one_shot_client import read, write
from waiting import until

from ioc_ops.status.family_rows import SCAN_RATES

LIVE = json.loads((HERE / "iocstats_live.json").read_text())["pvs"]

# The union of what the screens of iocStats for soft IOCs refer to, in all formats.
RECORDS = """
    01HZ_MODE 01HZ_UPD_TIME 02HZ_MODE 02HZ_UPD_TIME 05HZ_MODE 05HZ_UPD_TIME 10HZ_MODE
    10HZ_UPD_TIME 1HZ_MODE 1HZ_UPD_TIME 2HZ_MODE 2HZ_UPD_TIME 5HZ_MODE 5HZ_UPD_TIME ACCESS APP_DIR
    APP_DIR1 APP_DIR2 CA_ADDR_LIST CA_AUTO_ADDR_LIST CA_BEACON_PERIOD CA_CLNT_CNT CA_CONN_CNT
    CA_CONN_TMO CA_MAX_ARRAY_BYTES CA_MAX_SEARCH_PERIOD CA_REPEATER_PORT CA_SERVER_PORT CPU_CNT
    ENGINEER EPICS_VERS EPICS_VERSION FD_FREE FD_MAX GTIM_CUR_SRC GTIM_ERR_CNT GTIM_EVT_SRC
    GTIM_HI_SRC GTIM_RESET GTIM_TIME HEARTBEAT HOSTNAME IOC_CPU_LOAD IOC_LOG_INET IOC_LOG_PORT
    KERNEL_VERS LOCATION MEM_FREE MEM_MAX MEM_USED READACF RECORD_CNT STARTTOD ST_SCRIPT ST_SCRIPT1
    ST_SCRIPT2 SUSP_TASK_CNT SYSRESET SYS_CPU_LOAD SysReset TOD TS_NTP_INET TZ UPTIME
""".split()
FIELDS = [
    *(f"{rate}_UPD_TIME.{field}" for rate, _ in SCAN_RATES for field in "BC"),
    *(f"{name}.{limit}" for name in ("CA_CLNT_CNT", "CA_CONN_CNT") for limit in ("HIGH", "HIHI")),
    *("FD_FREE.LOLO", "FD_FREE.LOW", "GTIM_RESET.PROC", "IOC_CPU_LOAD.HIGH", "IOC_CPU_LOAD.HIHI"),
    *("MEM_FREE.LOLO", "MEM_FREE.LOW", "SUSP_TASK_CNT.HIHI", "SYSRESET.SEVR"),
]


@pytest.fixture
def start(ioc: Callable[..., Any]) -> Callable[..., Any]:
    """Start ``ioc_status.py``; returns once it has read the process and the host."""

    def start(**env: str) -> Any:
        process = ioc("ioc_status", env=ENV | env)
        until(lambda: told("PROCESS_ID").data[0] == process.pid)
        until(lambda: told("FD_FREE").metadata.severity < 3)
        return process

    return start


def told(suffix: str) -> Any:
    """The answer to one read of a status PV with all its metadata."""
    return read(f"st:Ioc:{suffix}", data_type="control")


def read_all(suffixes: Sequence[str]) -> dict[str, dict[str, Any] | None]:
    """What a client of others is told of the status PVs and fields."""
    names = [f"st:Ioc:{suffix}" for suffix in suffixes]
    command = [sys.executable, str(HERE / "read_all.py"), *names]
    client = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert client.returncode == 0, client.stderr
    return {name.removeprefix("st:Ioc:"): said for name, said in json.loads(client.stdout).items()}


def put(suffix: str, value: float | bytes) -> bool:
    """Write with completion; whether the server says that it is done."""
    data = value if isinstance(value, bytes) else [value]
    answer = write(f"st:Ioc:{suffix}", data, notify=True)
    return answer.status.success == 1


def test_all_122_names_are_on_the_wire_as_iocstats_has_them(start: Callable[..., Any]) -> None:
    start()
    served = read_all(sorted(LIVE))
    assert len(served) == 122
    wrong = {}
    for suffix, live in LIVE.items():
        said = served[suffix]
        assert said is not None, suffix
        expected = {k: float(v) if k.endswith("_limit") else v for k, v in live.items()}
        different = {
            key: (said.get(key), value)
            for key, value in expected.items()
            if said.get(key)
            != (pytest.approx(value, nan_ok=True) if isinstance(value, float) else value)
        }
        if different:
            wrong[suffix] = different
    assert not wrong


def test_all_that_the_screens_of_iocstats_refer_to_connects(start: Callable[..., Any]) -> None:
    assert (len(set(RECORDS)), len(set(FIELDS))) == (64, 27)
    start()
    served = read_all([*RECORDS, *FIELDS])
    assert [suffix for suffix, said in served.items() if said is None] == []
    values = {suffix: said["value"] for suffix, said in served.items() if said}
    assert (values["CA_CLNT_CNT.HIHI"], values["CA_CLNT_CNT.HIGH"]) == (175, 100)
    assert (values["FD_FREE.LOLO"], values["FD_FREE.LOW"]) == (5, 20)
    assert (values["IOC_CPU_LOAD.HIHI"], values["SUSP_TASK_CNT.HIHI"]) == (80, 1)
    assert {values[f"{rate}_UPD_TIME.B"] for rate, _ in SCAN_RATES} == {1.0}
    assert {values[f"{rate}_UPD_TIME.C"] for rate, _ in SCAN_RATES} == {5.0}


def test_what_the_screens_write_has_its_effect(start: Callable[..., Any]) -> None:
    start()

    assert put("FD_FREE.LOW", 1e9)
    assert put("GTIM_RESET.PROC", b"\0")
    assert put("10HZ_UPD_TIME.B", 1000.0)
    assert put("10HZ_UPD_TIME.C", 2000.0)
    assert put("1HZ_MODE", 0)
    free, errors = told("FD_FREE"), told("GTIM_ERR_CNT")
    assert (free.metadata.severity, free.metadata.lower_warning_limit) == (1, 1e9)
    assert (errors.data[0], errors.metadata.severity) == (0, 0)

    def limits() -> tuple[float, float]:
        monitor = told("10HZ_UPD_TIME").metadata
        return monitor.upper_warning_limit, monitor.upper_alarm_limit

    until(lambda: limits() == pytest.approx((0.1 * 11, 0.1 * 21)))  # they come with the next scan
    assert told("1HZ_MODE").data[0] == 0


def test_environment_script_time_and_queues_are_real(start: Callable[..., Any]) -> None:
    variables = {"EPICS_CA_CONN_TMO": "7.5", "EPICS_TZ": "x" * 50, "IOCSH_STARTUP_SCRIPT": "s" * 70}
    process = start(**variables)
    names = "CA_CONN_TMO CA_CONN_TIME TZ CAS_SERVER_PORT CA_MAX_ARRAY_BYTES ST_SCRIPT ST_SCRIPT1"
    names += " ST_SCRIPT2 GTIM_TIME GTIM_CUR_SRC SCANONCE_Q_SIZE CB_Q_SIZE SCANONCE_Q_USED UPD_TIME"
    values = {suffix: said["value"] for suffix, said in read_all(names.split()).items() if said}
    assert abs(values.pop("GTIM_TIME") - (time.time() - 631_152_000)) < 30
    assert values == {
        "CA_CONN_TMO": "7.5",
        "CA_CONN_TIME": "7.5",
        "TZ": "x" * 39,
        "CAS_SERVER_PORT": str(process.port),
        "CA_MAX_ARRAY_BYTES": "16384",
        "ST_SCRIPT": "s" * 70,
        "ST_SCRIPT1": "s" * 39,
        "ST_SCRIPT2": "s" * 31,
        "GTIM_CUR_SRC": "OS Clock",
        "SCANONCE_Q_SIZE": 1000,
        "CB_Q_SIZE": 0x100000,
        "SCANONCE_Q_USED": 0,
        "UPD_TIME": 15,
    }


def test_limits_that_an_operator_sets_survive_a_restart(start: Callable[..., Any]) -> None:
    process = start()
    assert put("FD_FREE.LOW", 77.0)
    assert put("LOAD.HIHI", 95.0)
    limits = ["FD_FREE.LOW", "LOAD.HIHI", "IOC_CPU_LOAD.HIHI"]
    for _ in range(2):
        assert [told(limit).data[0] for limit in limits] == [77, 95, 95]
        process.restart()
    assert told("FD_FREE").metadata.lower_warning_limit == 77


def test_readacf_reads_the_access_rules_anew(start_ioc: Callable[..., Any], tmp_path: Path) -> None:
    rules = tmp_path / "rules.acf"
    rules.write_text("ASG(DEFAULT) { RULE(1, READ) RULE(1, WRITE) }")
    command = [sys.executable, "-m", "ioc_status", "--acf", str(rules)]
    start_ioc(command, ENV)

    rules.write_text("ASG(DEFAULT) { this is no rule")
    assert not put("READACF", 1)
    assert told("READACF").metadata.severity == 3
    assert put("START_CNT", 5)  # the old rules stay
    rules.write_text("ASG(DEFAULT) { RULE(1, READ) }")
    assert put("READACF", 1)
    assert told("READACF").metadata.severity == 0
    assert not put("START_CNT", 6)


def test_access_is_an_input_of_access_rules(start_ioc: Callable[..., Any], tmp_path: Path) -> None:
    rules = tmp_path / "rules.acf"
    rules.write_text(
        'ASG(DEFAULT) { INPA("st:Ioc:ACCESS") RULE(1, READ) RULE(1, WRITE) { CALC("A<3") } }'
    )
    command = [sys.executable, "-m", "ioc_status", "--acf", str(rules)]
    start_ioc(command, ENV)

    assert put("START_CNT", 5)
    assert put("ACCESS", 3)
    assert not put("START_CNT", 6)
    assert told("START_CNT").data[0] == 5


def test_an_idle_ioc_stays_idle(start: Callable[..., Any]) -> None:
    process = start()

    def used() -> float:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def share() -> float:
        before, began = used(), time.monotonic()
        time.sleep(3)  # nothing to wait for: what is measured is that time passes
        return (used() - before) / (time.monotonic() - began)

    # Not so while it still starts, or while others take the caches of the processor.
    until(lambda: share() < 0.01)
