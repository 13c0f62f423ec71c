"""Groups of PVs inside groups, in every way to declare one."""

import random
from typing import Any

from ioc_ops import ChannelType
from ioc_ops.server import PVGroup, PvpropertyData, SubGroup, ioc_arg_parser, pvproperty, run


class RecordLike(PVGroup):
    """PVs whose names look like the fields of a record."""

    attr_separator = ""  # no colon between the group's name and theirs

    record_type = pvproperty(name=".RTYP", value="ai", dtype=ChannelType.STRING)
    value = pvproperty(name=".VAL", value=1)
    description = pvproperty(name=".DESC", value="Description", dtype=ChannelType.STRING)


class Dice(PVGroup):
    """A number that is another one at each reading; how large depends on the IOC."""

    def __init__(self, *arguments: Any, max_value: int, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.max_value = max_value

    @pvproperty
    async def random(self, instance: PvpropertyData) -> int:
        """From 1 to the largest of this group."""
        print(f"{instance.name}: one of {self.max_value}", flush=True)
        return random.randint(1, self.max_value)


class MyPVGroup(PVGroup):
    """
    A PV of its own and seven groups.

    Where SubGroup is given a prefix it is taken as it is; else the name of the
    attribute and a colon stand before the names of the group's PVs.
    """

    @pvproperty
    async def random(self, instance: PvpropertyData) -> int:
        """From 1 to 100."""
        return random.randint(1, 100)

    recordlike1 = SubGroup(RecordLike, prefix="RECORD_LIKE1")
    recordlike2 = SubGroup(RecordLike)

    # What SubGroup does not know goes to the class.
    group1 = SubGroup(Dice, max_value=5)
    group2 = SubGroup(Dice, prefix="group2-", max_value=20)

    @SubGroup(prefix="group3_prefix:")
    class group3(PVGroup):  # noqa: N801 - part of the PV names
        """A class for this one place."""

        @pvproperty
        async def random(self, instance: PvpropertyData) -> int:
            """From 1 to 100."""
            return random.randint(1, 100)

    @SubGroup
    class group4(PVGroup):  # noqa: N801
        """A group that holds nothing but a group."""

        @SubGroup
        class subgroup4(PVGroup):  # noqa: N801
            """The innermost one."""

            @pvproperty
            async def random(self, instance: PvpropertyData) -> int:
                """From 1 to 100."""
                return random.randint(1, 100)


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="subgroups:", desc=MyPVGroup.__doc__)
    ioc = MyPVGroup(**ioc_options)
    # On the class an attribute is a declaration; on the IOC it is the group or the PV itself.
    print(f"ioc.random: {ioc.random}")
    print(f"ioc.group4.subgroup4.random: {ioc.group4.subgroup4.random}", flush=True)
    run(ioc.pvdb, **run_options)
