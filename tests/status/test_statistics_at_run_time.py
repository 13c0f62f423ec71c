"""StatisticsHelper where the PVs that it watches go and come back."""

from typing import Any

import pytest
from test_statistics import Oven, shown, watch

from ioc_ops.group import PVSpec


def test_a_pv_that_goes_and_comes_back_is_watched_again() -> None:
    group: Any = Oven("o:")
    seen: dict[int, tuple[float | None, float | None]] = {}

    def between(second: int) -> None:
        seen[second] = shown(group.stats, "Temp:")["Count"], shown(group.stats, "Temp:")["Mean"]
        if second == 1:
            group.temperature.assign(1.0)
        if second == 3:
            group.remove_pv("temperature")
        if second == 20:
            group.add_pv("temperature", PVSpec(value=2.0, cls_kwargs={"units": "F"}))
        if second == 22:
            group.temperature.assign(50.0)

    stats, _ = watch(group, 24, between)
    assert seen[3] == (1, 1.0)
    assert seen[5] == (1, 1.0)  # the window still has it
    assert seen[20] == (0, None)  # nothing is there to be told of
    assert seen[22] == (0, 2.0)
    assert seen[24] == (1, 50.0)
    assert stats.pvdb["o:Stats:Temp:Mean"].units == "F"


def test_a_pv_that_comes_back_as_text_is_not_watched(caplog: pytest.LogCaptureFixture) -> None:
    group: Any = Oven("o:")

    def between(second: int) -> None:
        if second == 1:
            group.remove_pv("temperature")
            group.add_pv("temperature", PVSpec(value="hot", max_length=10))

    stats, _ = watch(group, 15, between)
    assert shown(stats, "Temp:")["Mean"] is None
    assert "no statistics of o:temperature: it holds CHAR" in caplog.text
