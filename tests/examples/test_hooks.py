"""Examples about what PVs do when they are read, written and scanned."""

import math
import time
from itertools import pairwise
from typing import Any

import pytest

NONE, MAJOR = 0, 2  # alarm severities


def test_rpc_function(example: Any, connected: Any, refusal: Any, library: str) -> None:
    example("rpc_function", "--async-lib", library, expect_traceback=True)
    arguments = ("low", "high", "Process", "Retval", "Status")
    names = {name: f"rpc:get_random:{name}" for name in arguments}
    client = connected("rpc:fixed_random", *names.values())
    assert [client.value(pv) for pv in names.values()] == [100, 1000, 0, 0, "Init"]
    client.put(names["low"], 500)
    client.put(names["high"], 502)
    for _ in range(5):
        client.put(names["Process"], 1)
        assert 500 <= client.value(names["Retval"]) <= 502
    assert client.value(names["Status"]) == "Success"

    client.put(names["low"], 503)
    with pytest.raises(refusal):
        client.put(names["Process"], 1)
    assert client.value(names["Status"]).startswith("ValueError: ")
    assert client("read", names["Retval"])["severity"] == MAJOR
    with pytest.raises(refusal):  # results are for the IOC to write
        client.put(names["Retval"], 1)

    client.put(names["low"], 7)
    client.put(names["high"], 7)
    client.put(names["Process"], 1)
    assert (client.value(names["Retval"]), client.value(names["Status"])) == (7, "Success")
    assert client("read", names["Process"])["severity"] == NONE
    assert len({client.value("rpc:fixed_random") for _ in range(10)}) > 1


def test_inline_style(example: Any, caproto_client: Any) -> None:
    ioc = example("inline_style")
    prefix, client = "inline_style:", caproto_client
    for name in ("random_int", "random_str", "A"):
        client("connect", f"{prefix}{name}")
    integers = [client.value(f"{prefix}random_int") for _ in range(10)]
    assert all(1 <= value <= 100 for value in integers)
    assert len(set(integers)) > 1
    letters = [client.value(f"{prefix}random_str") for _ in range(60)]  # one missing: 1 in 10^10
    assert {tuple(value) for value in letters} == {(97,), (98,), (99,)}
    assert client.value(f"{prefix}A") == [99]
    client.put(f"{prefix}A", list(b"hello"))
    assert client.value(f"{prefix}A") == list(b"hello")
    assert ioc.prints("inline_style:A becomes 'hello'")
    assert ioc.prints("inline_style:A is read")


def test_setpoint_rbv_pair(example: Any, connected: Any, refusal: Any) -> None:
    ioc = example("setpoint_rbv_pair")
    prefix = "setpoint_rbv:"
    names = [f"{prefix}pair{n}{suffix}" for n in ("", 2, 3) for suffix in ("", "_RBV")]
    client = connected(*names, f"{prefix}pair3.RTYP", f"{prefix}pair3_RBV.RTYP")
    client("monitor", f"{prefix}pair_RBV")
    assert client.next_value(f"{prefix}pair_RBV") == 0
    client.put(f"{prefix}pair", 5)
    assert client.next_value(f"{prefix}pair_RBV") == 5
    assert ioc.prints("setpoint_rbv:pair of Group becomes 5")
    client.put(f"{prefix}pair2", 2.5)
    client.put(f"{prefix}pair3", "Yes")
    assert client.value(f"{prefix}pair2_RBV") == 2.5
    assert client.value(f"{prefix}pair3_RBV", text=True) == "Yes"
    assert [client.value(f"{prefix}pair3{end}.RTYP") for end in ("", "_RBV")] == ["bo", "bi"]
    with pytest.raises(refusal):
        client.put(f"{prefix}pair_RBV", 6)


def test_skip_write(example: Any, connected: Any) -> None:
    ioc = example("skip_write")
    client = connected("skip:value")
    client("monitor", "skip:value")
    assert client.next_value("skip:value") == 1
    client.put("skip:value", 5)
    changed = client("event", "skip:value")
    assert changed["value"] == 85
    client.put("skip:value", 85)
    after = client("read", "skip:value")
    assert (after["value"], after["timestamp"]) == (85, changed["timestamp"])
    assert client("event", "skip:value", timeout=0) is None
    assert ioc.prints("5? Make that 85.")
    assert not any("Traceback" in line for line in ioc.lines)


def test_states(example: Any, connected: Any) -> None:
    example("states")
    filtered = 'state:value.{"sync":{"m":"while","s":"my_stately_state"}}'
    names = ("value", "enable_state", "disable_state", "my_stately_state")
    client = connected(*(f"state:{name}" for name in names))
    assert client.value("state:my_stately_state") == 0
    client("monitor", "state:value")
    assert {client.next_value("state:value") for _ in range(11)} == set(range(10))

    client("monitor", filtered)
    client.put("state:enable_state", 1)
    assert client.value("state:my_stately_state") == 1
    events = [client.next_value(filtered) for _ in range(4)]
    assert all((after - before) % 10 == 1 for before, after in pairwise(events[1:]))
    client.put("state:disable_state", 1)
    assert client.value("state:my_stately_state") == 0
    for pv in ("state:value", filtered):
        while client("event", pv, timeout=0) is not None:
            pass  # what was on its way
        assert client("event", "state:value") is not None  # and, at the last, what was before this
    for _ in range(3):  # the counter goes on ...
        assert client("event", "state:value") is not None
    assert client("event", filtered, timeout=0) is None  # ... but not through the filter


def test_decay(example: Any, connected: Any) -> None:
    example("decay")
    client = connected("decay:SP", "decay:I", "decay:done", "decay:K", "decay:Tvar", "decay:I.SCAN")
    assert client.value("decay:I.SCAN", text=True) == ".1 second"
    assert 100 < client.value("decay:I") <= 110
    client("monitor", "decay:done")
    assert client.next_value("decay:done") == 0
    client.put("decay:K", 0.1)
    assert client.next_value("decay:done") == 1
    client("monitor", "decay:I")
    assert client.next_value("decay:I") == pytest.approx(100, abs=0.5)

    client.put("decay:K", 2)
    client.put("decay:Tvar", 40)
    client.put("decay:SP", 20)
    assert client.next_value("decay:done") == 0
    client("unmonitor", "decay:I")
    client("monitor", "decay:I")
    readings = [client("event", "decay:I") for _ in range(6)]
    values = [reading["value"] for reading in readings[1:]]
    assert values == sorted(values, reverse=True)
    assert 20 < values[-1] < values[0] <= 60
    # The fall is that of exp(-t / K).
    first, last = readings[1], readings[-1]
    elapsed = last["timestamp"] - first["timestamp"]
    fallen = (first["value"] - 20) / (last["value"] - 20)
    assert elapsed / math.log(fallen) == pytest.approx(2, rel=0.15)


def test_thermo_sim(example: Any, connected: Any) -> None:
    example("thermo_sim")
    client = connected("thermo:SP", "thermo:I", "thermo:K", "thermo:omega", "thermo:Tvar")
    assert client.value("thermo:omega") == pytest.approx(3.14159265)
    client.put("thermo:omega", 20)
    client.put("thermo:SP", 50)
    client("monitor", "thermo:I")
    values = [client.next_value("thermo:I") for _ in range(12)][2:]
    assert min(values) < 50 < max(values)  # it swings
    assert all(39 < value < 61 for value in values)
    client.put("thermo:K", 0.01)
    while abs(client.next_value("thermo:I") - 50) > 1e-6:
        pass  # it comes to rest


def wait_for_pace(client: Any, period: float) -> None:
    """Until three scans in a row keep it, by what they say and by the times of their events.

    Where the machine is busy one scan or another is late.
    """
    in_a_row, before = 0, client("event", "periodic:scanned")
    for _ in range(100):
        after = client("event", "periodic:scanned")
        gaps = after["value"], after["timestamp"] - before["timestamp"]
        in_a_row = in_a_row + 1 if gaps == pytest.approx((period, period), rel=0.4) else 0
        if in_a_row == 3:
            return
        before = after
    pytest.fail(f"no scans every {period} s")


def test_scan_rate(example: Any, connected: Any) -> None:
    ioc = example("scan_rate")
    client = connected("periodic:scanned", "periodic:scanned.SCAN")
    ioc.prints("periodic:scanned starts")
    assert client.value("periodic:scanned.SCAN", text=True) == "1 second"
    client.put("periodic:scanned.SCAN", ".1 second")
    client("monitor", "periodic:scanned")
    wait_for_pace(client, 0.1)
    client.put("periodic:scanned.SCAN", "Passive")
    while client("event", "periodic:scanned", timeout=0.3) is not None:
        pass
    client.put("periodic:scanned.SCAN", ".2 second")
    wait_for_pace(client, 0.2)


def test_startup_and_shutdown_hooks(example: Any, connected: Any) -> None:
    ioc = example("startup_and_shutdown_hooks")
    client = connected("simple:thing")  # served while the first hook still runs
    assert client.value("simple:thing") == 2
    ioc.wait_for("1: the startup hook of the IOC is through")
    ioc.stop()
    said = [line.partition("] ")[2] for line in ioc.lines if ": the " in line]
    assert sorted(said[:2]) == [
        "1: the startup hook of the IOC begins",
        "2: the startup hook of simple:thing",
    ]
    assert said[2:] == [
        "1: the startup hook of the IOC is through",
        "3: the shutdown hook of simple:thing",
    ]


def test_worker_thread(example: Any, connected: Any) -> None:
    ioc = example("worker_thread")
    client = connected("wt:request", "wt:response")
    client("monitor", "wt:response")
    assert client.next_value("wt:response") == 0
    began = time.monotonic()
    client.put("wt:request", 1)
    client.put("wt:request", 0)
    assert [client.next_value("wt:response") for _ in range(2)] == [1, 2]
    assert time.monotonic() - began > 0.9
    client.put("wt:request", 60)  # longer than the client would wait: the write is for no work
    assert ioc.prints("worker: busy for 60 s")
    assert ioc.out.count("worker: busy for 1 s") == 1


def test_worker_thread_pc(example: Any, connected: Any) -> None:
    ioc = example("worker_thread_pc")
    client = connected("wt:request")
    began = time.monotonic()
    client.put("wt:request", 1)
    assert time.monotonic() - began > 0.9
    assert client.value("wt:request") == 1
    client.put("wt:request", 60, wait=False)
    ioc.prints("worker: busy for 60 s")
    ioc.stop()  # a worker that is busy is no reason to stay


def test_chirp(example: Any, connected: Any) -> None:
    example("chirp", "--ramprate", "0.5")
    client = connected("chirp:chirp", "chirp:steady")
    client("monitor", "chirp:chirp")
    client("monitor", "chirp:steady")
    events = [client("event", "chirp:chirp") for _ in range(60)]
    starts = [number for number, event in enumerate(events) if event["value"] == 0]
    sweep = events[starts[-1] :]
    assert [event["value"] for event in sweep] == list(range(len(sweep)))
    gaps = [after["timestamp"] - before["timestamp"] for before, after in pairwise(sweep)]
    assert len(gaps) < 2 or gaps[0] > 0.4
    steady = [client.next_value("chirp:steady") for _ in range(6)]
    assert steady == list(range(steady[0], steady[0] + 6))


@pytest.mark.parametrize("rate", ["0", "1", "fast"])
def test_chirp_with_a_rate_that_makes_no_sense(example: Any, rate: str) -> None:
    ioc = example("chirp", "--ramprate", rate, ready=False, expect_exit=2)
    assert ioc.wait(30) == 2
    assert f"'{rate}' is no number between 0 and 1" in "\n".join(ioc.lines)
