"""Fields of records are saved and restored, and the record is what they say."""

import asyncio
from typing import Any

from ioc_ops.autosave import autosaved
from ioc_ops.autosave.fileformat import dumps, loads
from ioc_ops.autosave.restore import apply
from ioc_ops.autosave.snapshot import collect
from ioc_ops.autosave.targets import find_targets
from ioc_ops.channel import ChannelType
from ioc_ops.server import PVGroup, pvproperty

FIELDS = ("description", "EGU", "PREC", "HIHI", "HHSV", "DRVH", "drive_low_limit", "SCAN", "NOPE")


class Saved(PVGroup):
    """Putters must not run when values are restored."""

    x = autosaved(pvproperty(value=1.0, record="ao", drive_high=10.0), fields=FIELDS)
    state = autosaved(
        pvproperty(value=0, record="mbbo", dtype=ChannelType.ENUM, enum_strings=("a", "b")),
        fields=["THST", "THSV"],
    )

    @x.putter
    async def x(self, instance: Any, value: Any) -> None:
        raise AssertionError("restoring must not move what the PV stands for")


def test_saved_fields_come_back_and_count() -> None:
    first: Any = Saved("T:")

    async def configure() -> None:
        fields = first.x.field_inst
        await fields.description.write("a slit")
        await fields.engineering_units.write("mm")
        await fields.display_precision.write(4)
        await fields.hihi_alarm_limit.write(40.0)
        await fields.hihi_severity.write("MAJOR")
        await fields.drive_high_limit.write(100.0)
        await fields.drive_low_limit.write(-100.0)
        await fields.scan_rate.write("2 second")
        await first.x.write(50.0, verify_value=False)
        await first.state.fields["THST"].write("d")
        await first.state.fields["THSV"].write("MINOR")
        await first.state.write("d")

    asyncio.run(configure())
    channels = {name: target.channel for name, target in find_targets(first).items()}
    assert set(channels) == {
        "T:x", "T:state", "T:state.THST", "T:state.THSV",
        *(f"T:x.{name}" for name in "DESC EGU PREC HIHI HHSV DRVH DRVL SCAN".split()),
    }  # fmt: skip
    saved = loads(dumps(collect(channels.values())))

    second: Any = Saved("T:")
    fresh = {name: target.channel for name, target in find_targets(second).items()}
    report = apply(saved, fresh)
    assert report.complete
    assert set(report.restored) == set(channels)
    assert (second.x.value, second.x.units, second.x.precision) == (50.0, "mm", 4)
    assert (second.x.description, second.x.severity) == ("a slit", 2)
    assert second.x.metadata.drive_low == -100.0
    assert second.x.fields["SCAN"].value == "2 second"
    assert (second.state.value, second.state.enum_strings) == ("d", ("a", "b", "", "d"))
    assert second.state.severity == 1


def test_fields_are_seen_to_change() -> None:
    from ioc_ops.autosave.watch import Watch

    group: Any = Saved("T:")
    targets = find_targets(group)
    watch = Watch({name: target.channel for name, target in targets.items()})
    watch.accept(targets)
    assert not any(watch.look())
    asyncio.run(group.x.fields["HIHI"].write(7.0))
    assert any(watch.look())
