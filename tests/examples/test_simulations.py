"""Examples that simulate a device, and those whose PVs come from a formula."""

import math
from itertools import pairwise
from typing import Any

import pytest


def test_mini_beamline(example: Any, connected: Any, refusal: Any) -> None:
    example("mini_beamline")
    names = ["current", "ph:det", "ph:mtr", "ph:exp", "ph:vel", "ph:mtr_tick_rate", "edge:det"]
    names += ["edge:mtr", "slit:det", "dot:det", "dot:img_sum", "dot:exp", "dot:shutter_open"]
    client = connected(*(f"mini:{name}" for name in (*names, "dot:ArraySize_RBV")))
    client("monitor", "mini:current")
    assert all(475 <= client.next_value("mini:current") <= 525 for _ in range(5))
    assert client.value("mini:dot:ArraySize_RBV") == [480, 640]
    assert client("describe", "mini:dot:det")["count"] == 480 * 640
    with pytest.raises(refusal):
        client.put("mini:ph:det", 1)

    # A pin hole lets all of the beam through at 0; a knife edge at 5 leaves almost nothing.
    client("monitor", "mini:ph:det")
    while client.next_value("mini:ph:det") < 90_000:
        pass
    assert client.value("mini:edge:det") < 2_000
    assert client.value("mini:slit:det") > 90_000

    # A move goes by steps, and is complete when the motor has arrived.
    client.put("mini:ph:vel", 100)
    client.put("mini:ph:mtr_tick_rate", 50)
    client("monitor", "mini:ph:mtr")
    assert client.next_value("mini:ph:mtr") == 0
    client.put("mini:ph:mtr", 20)
    assert client.value("mini:ph:mtr") == 20
    positions = [0.0]
    while positions[-1] != 20:
        positions.append(client.next_value("mini:ph:mtr"))
    assert len(positions) > 8
    assert all(before <= after for before, after in pairwise(positions))
    while client.next_value("mini:ph:det") > 1_000:
        pass  # far from the hole

    for exposure in (math.nan, -3):
        client.put("mini:ph:exp", exposure)
        assert client.value("mini:ph:exp") == 0
    client("monitor", "mini:dot:img_sum")
    bright = 0.0
    while bright == 0:
        bright = client.next_value("mini:dot:img_sum")
    client.put("mini:dot:shutter_open", 0)
    while (dark := client.next_value("mini:dot:img_sum")) > 4e8:
        pass
    assert bright > 8e8
    assert dark == pytest.approx(480 * 640 * 1000, rel=1e-3)


def test_a_walk_goes_on_whatever_its_pace(example: Any, connected: Any) -> None:
    example("random_walk")
    client = connected("random_walk:x", "random_walk:dt")
    assert client.value("random_walk:dt") == 3
    client("monitor", "random_walk:x")
    client.next_value("random_walk:x")
    for pace in (0.0, math.nan, -1.0):
        client.put("random_walk:dt", pace)
        steps = [client.next_value("random_walk:x") for _ in range(3)]
        assert all(abs(after - before) <= 1 for before, after in pairwise(steps))


def test_fake_motor_record(example: Any, connected: Any, refusal: Any) -> None:
    example("fake_motor_record")
    fields = ["RTYP", "RBV", "DMOV", "MOVN", "VELO", "PREC", "HLM", "LLM", "STOP", "SPMG", "RRBV"]
    motors = [f"sim:mtr{number}" for number in (1, 2, 3)]
    client = connected(*motors, *(f"sim:mtr3.{field}" for field in fields), "sim:mtr2.LLM")
    told = {field: client.value(f"sim:mtr3.{field}") for field in fields}
    assert told == {
        "RTYP": "motor",
        "RBV": 0,
        "DMOV": 1,
        "MOVN": 0,
        "VELO": 3,
        "PREC": 2,
        "HLM": 30,
        "LLM": 0,
        "STOP": 0,
        "SPMG": 3,
        "RRBV": 0,
    }
    assert client.value("sim:mtr2.LLM") == -10
    client("monitor", "sim:mtr3.DMOV")
    client("monitor", "sim:mtr3.RBV")
    assert client.next_value("sim:mtr3.DMOV") == 1

    client.put("sim:mtr3", 1.2)  # 0.3 a tick
    assert [client.next_value("sim:mtr3.DMOV") for _ in range(2)] == [0, 1]
    positions = [client.next_value("sim:mtr3.RBV") for _ in range(5)]
    assert positions == pytest.approx([0, 0.3, 0.6, 0.9, 1.2])
    assert client.value("sim:mtr3.RRBV") == 1_200_000

    client.put("sim:mtr3", 30)
    assert client.next_value("sim:mtr3.DMOV") == 0
    client.next_value("sim:mtr3.RBV")
    client.put("sim:mtr3.STOP", 1)
    assert client.next_value("sim:mtr3.DMOV") == 1
    assert client.value("sim:mtr3") == client.value("sim:mtr3.RBV") < 30
    assert client.value("sim:mtr3.STOP") == 0
    with pytest.raises(refusal):
        client.put("sim:mtr3", 31)


def test_formula(example: Any, connected: Any, refusal: Any) -> None:
    ioc = example("formula", "--formula", "c = sqrt(a**2 + b**2) / pi * pi")
    ioc.wait_for("Formula:vars")
    client = connected(*(f"Formula:{name}" for name in ("a", "b", "c", "proc", "formula", "vars")))
    client("connect", "Formula:out_postfix")
    assert client.value("Formula:vars") == ["a", "b"]
    assert client.value("Formula:formula") == "c = sqrt(a**2 + b**2) / pi * pi"
    assert client.value("Formula:out_postfix") == "c"
    client("monitor", "Formula:c")
    client.put("Formula:a", 3)
    client.put("Formula:b", 4)
    assert client.value("Formula:c") == pytest.approx(5)  # a reading computes by itself
    while client.next_value("Formula:c") != pytest.approx(5):
        pass  # and so does the scan, for monitors
    client.put("Formula:proc", 1)
    assert client.value("Formula:proc") == 0
    with pytest.raises(refusal):
        client.put("Formula:c", 1)


@pytest.mark.parametrize(
    ("formula", "why"),
    [
        ("a + b", "does not begin with a name"),
        ("c = a +", "no formula"),
        ("c = __import__('os').getcwd()", "not allowed"),
        ("c = c + 1", "choose other names"),
    ],
)
def test_what_is_no_formula_is_said(example: Any, formula: str, why: str) -> None:
    ioc = example("formula", "--formula", formula, ready=False, expect_exit=1)
    assert ioc.wait(30) == 1
    (line,) = ioc.lines
    assert why in line


def test_dynamic_pvs(example: Any, connected: Any, refusal: Any) -> None:
    ioc = example("dynamic_pvs")
    names = ("formula", "formula.PROC", "output", "variables", "a", "b")
    client = connected(*(f"dyncalc:{name}" for name in names))
    assert client.value("dyncalc:formula") == "a + b"
    assert client.value("dyncalc:variables") == ["a", "b"]
    client.put("dyncalc:a", 2)
    client.put("dyncalc:b", 3)
    client.put("dyncalc:formula.PROC", 1)
    assert client.value("dyncalc:output") == 5

    # b goes and x comes; a stays as it is.
    client("monitor", "dyncalc:b")
    assert client.next_value("dyncalc:b") == 3
    client.put("dyncalc:formula", "a * x")
    client("wait_connected", "dyncalc:b", connected=False)
    client("connect", "dyncalc:x")
    client.put("dyncalc:x", 10)
    client.put("dyncalc:formula.PROC", 1)
    assert client.value("dyncalc:output") == 20
    assert client.value("dyncalc:variables") == ["a", "x"]

    for formula in ("a +", "output + 1", "().__class__", "a.b", "f(a)"):
        with pytest.raises(refusal):
            client.put("dyncalc:formula", formula)
    assert client.value("dyncalc:formula") == "a * x"
    assert not any("Traceback" in line for line in ioc.lines)

    # b is found again by the search that the client has going, with a value of its own.
    client.put("dyncalc:formula", "a * x + b")
    client("wait_connected", "dyncalc:b", connected=True)
    assert client.value("dyncalc:b") == 0
    assert client.value("dyncalc:a") == 2
