"""The example with configurations, by a client of libca, over a restart."""

from pathlib import Path
from typing import Any

import pytest

MAJOR = 2


def test_configurations(example: Any, connected: Any, refusal: Any, tmp_path: Path) -> None:
    ioc = example("configurations")
    menu, gains = "det:detectorMenu", "det:gainsMenu"
    settings = ("det:amp1:gain", "det:amp2:gain", "det:amp1:filter")
    parts = ("SaveAs", "Load", "Delete", "List", "status", "currName", "loadConfig1.PROC", "name1")
    client = connected(menu, f"{gains}:SaveAs", f"{gains}:Load", *settings, "det:amp1:gain_RBV",
                       *(f"{menu}:{part}" for part in parts))  # fmt: skip
    for pv, value in zip(settings, (2, 3, 50), strict=True):
        client.put(pv, value)
    client.put(f"{menu}:SaveAs", "low")
    client.put(f"{gains}:SaveAs", "low")  # of the other menu
    for pv in settings:
        client.put(pv, 7)
    client.put(f"{menu}:SaveAs", "high gain")
    assert client.value(f"{menu}:List") == ["low", "high_gain"]
    assert client("describe", menu)["enum_strings"] == ["low", "high_gain"]

    client.put(f"{gains}:Load", "low")
    assert [client.value(pv) for pv in settings] == [2, 3, 7]
    client.put(menu, "high_gain")
    assert [client.value(pv) for pv in settings] == [7, 7, 7]
    client.put(f"{menu}:loadConfig1.PROC", 1)
    assert [client.value(pv) for pv in settings] == [2, 3, 50]
    assert client.value("det:amp1:gain_RBV") == 2
    assert client.value(f"{menu}:currName") == client.value(f"{menu}:name1") == "low"

    with pytest.raises(refusal):
        client.put(f"{menu}:Load", "none")
    status = client("read", f"{menu}:status", text=True)
    assert (status["value"], status["severity"]) == ("Failure", MAJOR)
    assert client.value(f"{menu}:currName") == "low"

    ioc.restart()
    for pv in (f"{menu}:currName", f"{menu}:List", f"{menu}:Load", f"{menu}:Delete"):
        client("wait_connected", pv, connected=True)
    assert client.value(f"{menu}:currName") == "low"
    assert client.value(f"{menu}:List") == ["high_gain", "low"]
    client.put(f"{menu}:Delete", "low")
    assert client.value(f"{menu}:List") == ["high_gain"]
    with pytest.raises(refusal):
        client.put(f"{menu}:Load", "low")
    names = sorted(path.name for path in (tmp_path / "state" / "configs").iterdir())
    assert names[0] == "detector_high_gain.cfg"
    assert names[1].startswith("detector_low.cfg_2")
    assert names[2:] == ["gains_low.cfg"]
