"""A menu of configurations whose storage fails or hangs, and one that is declared wrongly."""

import asyncio
import errno
import logging
import os
from pathlib import Path
from typing import Any

import pytest
from config_life import FAILED, WELL, Ioc, Life, disk_with_a, lines, running
from fake_disk import FakeDisk
from storage_threads import Stall

from ioc_ops.autosave import ConfigMenu
from ioc_ops.errors import AutosaveError, ChannelError, ConfigurationError, DefinitionError
from ioc_ops.server import PVGroup, SubGroup, pvproperty


@pytest.fixture
def saved() -> FakeDisk:
    return disk_with_a()


# --- storage that fails or hangs ----------------------------------------------------------------


def test_a_full_disk_is_shown_and_overcome(saved: FakeDisk) -> None:
    async def main() -> None:
        disk = saved

        def before(number: int, name: str) -> None:
            if name == "write":
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        async with running(disk) as life:
            disk.before = before
            with pytest.raises(ChannelError, match="No space left on device"):
                await life.set("scanMenu:SaveAs", "a")
            assert life.ended() == FAILED
            assert life.value("scanMenu:currName") == ""
            assert lines(disk, "a")["x:first"] == "10.0"
            disk.before = lambda number, name: None
            await life.set("scanMenu:SaveAs", "a")
            assert life.ended() == WELL
            assert lines(disk, "a")["x:first"] == "1.0"

    asyncio.run(main())


def test_storage_that_hangs_is_shown_and_the_menu_recovers(saved: FakeDisk) -> None:
    async def main() -> None:
        disk = saved
        async with running(disk) as life:
            life.configs.storage_timeout = 10.0
            stall = Stall(disk)
            stall.begin()
            for act in ("SaveAs", "Load", "Delete"):
                began = life.clock.now
                with pytest.raises(ChannelError, match="storage has not answered for 10 s"):
                    await life.set(f"scanMenu:{act}", "a")
                assert life.clock.now - began == pytest.approx(10, abs=0.2)
                assert life.ended() == FAILED
            stall.end()
            life.configs.storage_timeout = 60.0
            await life.set("scanMenu:Load", "a")
            assert life.ended() == WELL
            # What was under way when it hung has been done; nothing was handed in behind it.
            assert life.value("first") == 1.0
            assert life.value("scanMenu:List") == ["a"]

    asyncio.run(main())


def test_storage_that_hangs_at_the_start_delays_it_by_the_timeout(
    saved: FakeDisk,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        disk = saved
        life = Life(disk)
        life.configs.storage_timeout = 10.0
        stall = Stall(disk)
        stall.begin()
        await life.start()
        assert life.clock.now == pytest.approx(10, abs=0.2)
        assert life.ended() == FAILED
        assert "storage has not answered" in caplog.text
        stall.end()
        life.configs.storage_timeout = 60.0
        await life.press("scanMenu:menuName")  # Find config files
        assert life.ended() == WELL
        assert life.value("scanMenu:List") == ["a"]
        await life.set("scanMenu:Load", "a")
        assert life.value("first") == 10.0
        await life.stop()

    asyncio.run(main())


def test_finding_files_does_not_clear_the_failure_of_a_load(saved: FakeDisk) -> None:
    async def main() -> None:
        async with running(saved) as life:
            with pytest.raises(ChannelError):
                await life.set("scanMenu:Load", "none")
            await life.press("scanMenu:menuName")
            assert life.ended() == FAILED

    asyncio.run(main())


def test_an_ioc_that_does_not_run_says_so() -> None:
    with pytest.raises(AutosaveError, match="does not run"):
        asyncio.run(Ioc(prefix="x:").configs.save("a"))


# --- what is declared wrongly -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"config": ""}, "letters, digits"),
        ({"config": "../x"}, "letters, digits"),
        ({"pvs": ["a"], "save_set": "b"}, "one of save_set, request and pvs"),
        ({"pvs": "first"}, "list of names"),
        ({"keep": 0}, "above 0"),
        ({"hook_timeout": 0}, "above 0"),
    ],
)
def test_arguments_that_make_no_sense(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(DefinitionError, match=reason):
        ConfigMenu(**{"config": "scan", "directory": "/d", **arguments})


def test_making_a_menu_touches_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ConfigMenu("x:", config="scan", directory="state", request="none.req")
    assert os.listdir(tmp_path) == []


def test_a_menu_without_pvs_is_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    class Empty(PVGroup):
        plain = pvproperty(value=1)
        configs = SubGroup(ConfigMenu, prefix="", config="scan", directory="/d")

    async def main() -> None:
        async with running(FakeDisk(), Empty) as life:
            assert "no PV for Empty.configs is marked as autosaved" in caplog.text
            with pytest.raises(ChannelError, match="has no PVs to save"):
                await life.set("scanMenu:SaveAs", "a")

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"pvs": ["nothing*"]}, "names no PV"),
        ({"save_set": "nothing"}, "names no PV"),
        ({"request": "/nowhere/x.req"}, "no x.req in /nowhere"),
    ],
)
def test_a_choice_without_pvs_ends_the_start(arguments: dict[str, Any], reason: str) -> None:
    class Empty(PVGroup):
        plain = pvproperty(value=1)
        configs = SubGroup(ConfigMenu, prefix="", config="scan", directory="/d", **arguments)

    async def main() -> None:
        with pytest.raises(ConfigurationError, match=reason):
            await Life(FakeDisk(), Empty).start()

    asyncio.run(main())
