"""What stands both in a PV and in a metric is the same number: it was read by the same probe."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ioc_ops.metrics.families import AUTOSAVE_FAMILIES, IOC_FAMILIES
from ioc_ops.status import TABLE

HERE = Path(__file__).parent

SAME = {
    "Ioc:CA_CLNT_CNT": "epics_ioc_ca_circuits",
    "Ioc:CA_CONN_CNT": "epics_ioc_ca_channels",
    "Ioc:RECORD_CNT": "epics_ioc_pvs",
    "Ioc:SUSP_TASK_CNT": "epics_ioc_task_failures_total",
    "Ioc:LOOP_LAG_MAX": "epics_ioc_event_loop_lag_max_seconds",
    "Ioc:CBMEDIUM_Q_OVERRUNS": "epics_ioc_ca_events_dropped_total",
    "Save:PVS": "epics_ioc_autosave_pvs",
    "Save:SAVES": "epics_ioc_autosave_saves_total",
    "Save:FAILURES": "epics_ioc_autosave_failures_total",
    "Mem:TracedCurrent": "epics_ioc_tracemalloc_current_bytes",
    "Mem:TracedPeak": "epics_ioc_tracemalloc_peak_bytes",
}
"""Read from the same place."""

ALIKE = {
    "Ioc:FD_CNT": "process_open_fds",
    "Ioc:FD_MAX": "process_max_fds",
    "Ioc:MEM_USED": "process_resident_memory_bytes",
    "Mem:RSS": "process_resident_memory_bytes",
}
"""Read by prometheus_client itself, at another moment: the same but for that."""

RATES = {
    "CA_EVENT_RATE": "epics_ioc_ca_events_sent_total",
    "CA_PUT_RATE": "epics_ioc_ca_writes_total",
    "CA_GET_RATE": "epics_ioc_ca_reads_total",
}
"""The PV has the rate of what the metric counts."""

TEXTS = {
    "Ioc:HOSTNAME": "hostname",
    "Ioc:ENGINEER": "engineer",
    "Ioc:LOCATION": "location",
    "Ioc:EPICS_VERS": "version",
}
"""A label of ``epics_ioc_info``."""

TIMES = {
    "Ioc:STARTTOD": ("epics_ioc_start_timestamp_seconds", "%m/%d/%Y %H:%M:%S"),
    "Save:TIME": ("epics_ioc_autosave_last_success_timestamp_seconds", "%Y-%m-%d %H:%M:%S"),
}

NOT_ZERO = {
    "epics_ioc_task_failures_total": 1,
    "epics_ioc_autosave_saves_total": 1,
    "epics_ioc_event_loop_lag_max_seconds": 0.3,
}

NEEDED = ("Mem:EnableTracing", "block", "kept", "Save:SAVE", *[
    f"Ioc:{period}_UPD_TIME" for period in ("CA", "FD", "LOAD", "MEM")
])  # fmt: skip


@pytest.fixture(scope="module")
def here() -> dict[str, str]:
    paths = [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths), "ENGINEER": "Ada", "LOCATION": "Hutch 3"}


def test_pvs_and_metrics_agree(
    ioc: Callable[..., Any],
    free_port: Callable[[], int],
    here: dict[str, str],
    tmp_path: Path,
) -> None:
    (tmp_path / "state").mkdir()
    port = free_port()
    ioc("ioc_numbers", "--metrics-port", str(port), env=here, expect_traceback=True)
    names = [f"n:{suffix}" for suffix in (*SAME, *ALIKE, *TEXTS, *TIMES, *NEEDED)]
    url = f"http://127.0.0.1:{port}/metrics"
    wrong = ["nothing was read"]
    with subprocess.Popen(
        [sys.executable, str(HERE / "numbers_client.py"), url, *names],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        deadline = time.monotonic() + 40
        # PVs show what is new once in a second, metrics at once.
        while wrong and time.monotonic() < deadline and (line := client.stdout.readline()):
            wrong = list(differences(json.loads(line)))
        client.stdin.close()
        client.stdout.read()
    assert not wrong
    assert client.returncode == 0


def differences(found: dict[str, Any]) -> Iterator[str]:
    """What PVs and metrics do not agree about."""
    listed = [
        sample
        for family in text_string_to_metric_families(found["text"])
        for sample in family.samples
    ]
    samples = {sample.name: sample for sample in listed}
    sums: Counter[str] = Counter()  # over the kinds of a failure, say
    for sample in listed:
        sums[sample.name] += sample.value

    def said(suffix: str) -> tuple[Any, Any]:
        return found["before"][f"n:{suffix}"], found["after"][f"n:{suffix}"]

    expected: dict[str, Any] = {suffix: sums[metric] for suffix, metric in SAME.items()}
    for suffix, label in TEXTS.items():
        expected[suffix] = samples["epics_ioc_info"].labels[label][:39]
    for suffix, (metric, form) in TIMES.items():
        expected[suffix] = datetime.fromtimestamp(samples[metric].value).strftime(form)
    for suffix, metric in ALIKE.items():
        expected[suffix] = pytest.approx(samples[metric].value, rel=0.3, abs=3)
        if min(said(suffix)) <= 0:
            yield f"{suffix} is {said(suffix)}"
    for suffix, value in expected.items():
        if said(suffix) != (value, value):
            yield f"{suffix} is {said(suffix)}, the metric {value!r}"
    # The table would be of little worth if all of them were 0.
    for metric, least in NOT_ZERO.items():
        if samples[metric].value < least:
            yield f"{metric} is {samples[metric].value}"


def test_no_number_of_the_server_stands_in_a_pv_without_being_compared() -> None:
    sources = ("server", "loop", "traffic")
    shared = {s for s, row in TABLE.items() if (row.reading or "").partition(".")[0] in sources}
    without_metric = {"LOOP_LAG_P99"}  # Prometheus makes quantiles of the histogram
    aliases = {s for s in shared if TABLE[s].alias_of}
    compared = {suffix.removeprefix("Ioc:") for suffix in (*SAME, *ALIKE)} | RATES.keys()
    assert shared - aliases - without_metric <= compared


def test_every_metric_that_is_compared_exists() -> None:
    ours = {family.name for family in (*IOC_FAMILIES, *AUTOSAVE_FAMILIES)}
    named = {*SAME.values(), *ALIKE.values(), *RATES.values(), *[m for m, _ in TIMES.values()]}
    assert {name for name in named if name.startswith("epics_")} <= ours
