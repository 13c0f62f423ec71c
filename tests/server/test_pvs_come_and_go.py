"""PVs that are added and removed while an IOC runs: their hooks, on each async library."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from ioc_in_process import LIBRARIES, prepare, run_live, until

from ioc_ops.channel import AlarmStatus
from ioc_ops.errors import ConfigurationError
from ioc_ops.group import PVGroup, PVSpec, pvproperty, scan_wrapper
from ioc_ops.group.pvspec import FieldHook
from ioc_ops.server import current_context

Live = Callable[["Comings", Callable[["Comings", Any], Awaitable[None]]], None]


class Comings(PVGroup):
    """Notes what the hooks of its PVs do."""

    there = pvproperty(value=1)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.said: list[str] = []
        self.at_restore: Callable[[], None] = lambda: None

    @there.restore
    async def there(self, instance: Any, async_lib: Any) -> None:
        self.at_restore()

    async def restore(self, instance: Any, async_lib: Any) -> None:
        await async_lib.sleep(0)
        self.said.append(f"restore {instance.name}")

    async def startup(self, instance: Any, async_lib: Any) -> None:
        self.said.append(f"startup {instance.name}")
        try:
            await async_lib.sleep(3600)
        finally:
            self.said.append(f"end of {instance.name}")

    async def shutdown(self, instance: Any, async_lib: Any) -> None:
        self.said.append(f"shutdown {instance.name}")

    async def save(self, instance: Any, async_lib: Any) -> None:
        self.said.append(f"save {instance.name}")

    async def tick(self, instance: Any, async_lib: Any) -> None:
        await instance.write(instance.value + 1)


EVERY = PVSpec(
    value=0,
    restore=Comings.restore,
    startup=Comings.startup,
    shutdown=Comings.shutdown,
    save=Comings.save,
)
TICKING = PVSpec(value=0, scan=scan_wrapper(0.005)(Comings.tick))


@pytest.fixture(params=LIBRARIES, scope="module")
def library(request: pytest.FixtureRequest) -> str:
    return prepare(request.param)


@pytest.fixture
def live(library: str) -> Live:
    """Run an IOC until its script is through; what the script raises fails the test."""

    def run_it(group: Comings, script: Callable[[Comings, Any], Awaitable[None]]) -> None:
        run_live(library, group.pvdb, lambda async_lib: script(group, async_lib))

    return run_it


def test_all_hooks_of_a_pv_that_comes_late_run_at_once_and_restore_is_first(live: Live) -> None:
    group = Comings("T:")

    async def script(group: Comings, async_lib: Any) -> None:
        group.add_pv("late", EVERY)
        await until(async_lib, lambda: "startup T:late" in group.said)
        ticking = group.add_pv("ticking", TICKING)
        await until(async_lib, lambda: ticking.value > 2)

    live(group, script)
    assert group.said == [
        "restore T:late",
        "startup T:late",
        "end of T:late",
        "shutdown T:late",
        "save T:late",
    ]


def test_the_hooks_of_a_pv_that_leaves_end_and_its_last_ones_run_once(live: Live) -> None:
    group = Comings("T:")

    async def script(group: Comings, async_lib: Any) -> None:
        group.add_pv("late", EVERY)
        ticking = group.add_pv("ticking", TICKING)
        await until(async_lib, lambda: "startup T:late" in group.said and ticking.value)
        group.remove_pv("late")
        group.remove_pv("ticking")
        await until(async_lib, lambda: "save T:late" in group.said)
        value = ticking.value
        await async_lib.sleep(0.03)
        assert ticking.value == value

    live(group, script)
    ends = ["end of T:late", "shutdown T:late", "save T:late"]
    assert group.said == ["restore T:late", "startup T:late", *ends]


def test_a_pv_that_leaves_just_before_the_stop_still_has_its_last_hooks(live: Live) -> None:
    group = Comings("T:")

    async def script(group: Comings, async_lib: Any) -> None:
        group.add_pv("late", EVERY)
        await until(async_lib, lambda: "startup T:late" in group.said)
        group.remove_pv("late")  # and the stop comes in this very tick

    live(group, script)
    assert group.said[-3:] == ["end of T:late", "shutdown T:late", "save T:late"]


def test_pvs_added_before_the_start_and_while_others_are_restored(live: Live) -> None:
    group = Comings("T:")
    group.add_pv("early", EVERY)
    group.add_pv("gone", EVERY)

    def at_restore() -> None:
        group.add_pv("between", EVERY)
        group.remove_pv("gone")

    group.at_restore = at_restore

    async def script(group: Comings, async_lib: Any) -> None:
        both = {"startup T:early", "startup T:between"}  # in any order on trio
        await until(async_lib, lambda: both <= set(group.said))

    live(group, script)
    assert group.said[:2] == ["restore T:early", "restore T:between"]
    assert sorted(group.said[2:4]) == ["startup T:between", "startup T:early"]
    assert not [each for each in group.said if "gone" in each]


def test_the_startup_hook_of_the_ioc_begins_before_those_of_pvs(live: Live) -> None:
    group = Comings("T:")
    for number in range(20):
        group.add_pv(f"x{number}", EVERY)

    async def script(group: Comings, async_lib: Any) -> None:
        group.said.append("script")
        await until(async_lib, lambda: "startup T:x7" in group.said)

    live(group, script)
    begun = [each for each in group.said if not each.startswith(("restore", "end"))]
    assert begun[0] == "script"


def test_hooks_of_fields_come_and_go_with_their_record(live: Live) -> None:
    group = Comings("T:")

    async def startup(fields: Any, instance: Any, async_lib: Any) -> None:
        await Comings.startup(fields.parent.group, instance, async_lib)

    async def shutdown(fields: Any, instance: Any, async_lib: Any) -> None:
        await Comings.shutdown(fields.parent.group, instance, async_lib)

    hooks = (FieldHook("PHAS", "startup", startup), FieldHook("PHAS", "shutdown", shutdown))

    async def script(group: Comings, async_lib: Any) -> None:
        group.add_pv("late", PVSpec(value=0.0, record="ai", fields=hooks))
        await until(async_lib, lambda: group.said)
        group.remove_pv("late")
        await until(async_lib, lambda: len(group.said) > 2)

    live(group, script)
    assert group.said == ["startup T:late.PHAS", "end of T:late.PHAS", "shutdown T:late.PHAS"]


def test_a_hook_may_take_its_own_pv_out(live: Live) -> None:
    group = Comings("T:")

    async def leave(group: Comings, instance: Any, async_lib: Any) -> None:
        group.said.append("leaves")
        group.remove_pv("late")
        await async_lib.sleep(3600)
        group.said.append("goes on")

    async def script(group: Comings, async_lib: Any) -> None:
        for restore, startup in ((None, leave), (leave, Comings.startup)):
            group.said.clear()
            group.add_pv("late", EVERY.new(restore=restore, startup=startup))
            await until(async_lib, lambda: "save T:late" in group.said)
            assert group.said == ["leaves", "shutdown T:late", "save T:late"]

    live(group, script)


def test_a_restore_hook_that_fails_late_is_its_pvs_own_trouble(live: Live) -> None:
    group = Comings("T:")

    async def fails(group: Comings, instance: Any, async_lib: Any) -> None:
        raise ConfigurationError("no such directory")

    async def script(group: Comings, async_lib: Any) -> None:
        pv = group.add_pv("late", EVERY.new(restore=fails))
        await until(async_lib, lambda: "startup T:late" in group.said)
        assert pv.alarm.status == AlarmStatus.READ
        assert current_context().counters.hook_failures["restore"] == 1

    live(group, script)


def test_whoever_asks_is_told_of_pvs_that_come_and_go(live: Live) -> None:
    group = Comings("T:")
    heard: list[tuple[str, str]] = []

    async def script(group: Comings, async_lib: Any) -> None:
        context = current_context()
        context.added.append(lambda pv: heard.append(("added", pv.name)))
        context.removed.append(lambda pv: heard.append(("removed", pv.name)))
        group.add_pv("late", PVSpec(value=0))
        group.remove_pv("late")

    live(group, script)
    assert heard == [("added", "T:late"), ("removed", "T:late")]
