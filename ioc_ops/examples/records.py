"""PVs with the fields of EPICS records, and fields that do something."""

from typing import Any

from ioc_ops import ChannelType
from ioc_ops.server import PVGroup, PvpropertyData, ioc_arg_parser, pvproperty, run


class RecordMockingIOC(PVGroup):
    """
    Five PVs that clients see as records: mock:A.DESC, mock:C.HIHI and so on.

    A  an ai; what is written to A.RVAL becomes the value of A and B
    B  an ao; 1 is a value that it refuses, which puts it in alarm; what is
       written to B.RVAL goes to B plus 10 and to A minus 10
    C  an ai with limits of every kind
    D  an ao with the fields of B, and what these do
    E  a stringin
    """

    A = pvproperty(value=1.0, record="ai", doc="The first")
    B = pvproperty(value=2.0, record="ao", precision=3, doc="The second")
    C = pvproperty(
        value=0.0,
        record="ai",
        upper_alarm_limit=2.0,
        lower_alarm_limit=-2.0,
        upper_warning_limit=1.0,
        lower_warning_limit=-1.0,
        upper_ctrl_limit=3.0,
        lower_ctrl_limit=-3.0,
        units="mm",
        precision=3,
        doc="The one with limits",
    )

    @B.putter
    async def B(self, instance: PvpropertyData, value: float) -> None:
        """An exception is enough to refuse a value: the alarm comes by itself."""
        if value == 1:
            raise ValueError("1 is not for B")

    # A field may be named as in EPICS, or by its long name: RVAL is current_raw_value.
    @A.fields.current_raw_value.putter
    async def A(self: Any, instance: PvpropertyData, value: int) -> None:
        """Of a field's hook `self` is the fields of the record; the IOC lies behind it."""
        ioc = self.parent.group
        print(f"{instance.name}: {value} for A and B", flush=True)
        await ioc.B.write(value)
        await ioc.A.write(value)

    @B.fields.RVAL.putter
    async def B(self: Any, instance: PvpropertyData, value: int) -> None:
        """The same hook serves the fields of D, where it is reused."""
        ioc = self.parent.group
        print(f"{instance.name}: {value + 10} for B, {value - 10} for A", flush=True)
        await ioc.B.write(value + 10)
        await ioc.A.write(value - 10)

    # Record type and hooks of the fields in one go.
    D = pvproperty(value=2.0, precision=3, field_spec=B.field_spec, doc="The twin of B")
    E = pvproperty(
        value="this is a test", record="stringin", dtype=ChannelType.STRING, doc="The text"
    )


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="mock:", desc=RecordMockingIOC.__doc__)
    ioc = RecordMockingIOC(**ioc_options)
    # pvdb holds the records alone; their fields come into being as clients ask for them.
    print("PVs:", *ioc.pvdb)
    print("Fields of B:", *ioc.B.fields)
    print("Hooks on fields of A and B:", RecordMockingIOC.A.fields, RecordMockingIOC.B.fields)
    run(ioc.pvdb, **run_options)
