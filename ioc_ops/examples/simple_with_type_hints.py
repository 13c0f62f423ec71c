"""The simple example with classes as types: editors and type checkers know what is what."""

from ioc_ops.server import (
    PVGroup,
    PvpropertyDouble,
    PvpropertyDoubleRO,
    PvpropertyInteger,
    ioc_arg_parser,
    pvproperty,
    run,
)
from ioc_ops.server.records import AiFields


class SimpleIOC(PVGroup):
    """
    Four PVs; none knows of the others.

    A   an integer
    B   a float that clients cannot write
    C   up to three integers
    D   a float with the fields of an ai record
    """

    A = pvproperty(value=1, dtype=PvpropertyInteger, doc="An integer")
    B = pvproperty(value=2.0, dtype=PvpropertyDoubleRO, doc="A float to be read")
    C = pvproperty(value=[1, 2, 3], dtype=PvpropertyInteger, doc="Up to three integers")
    # In the brackets and as record= the class of the fields: its names are known, too.
    D = pvproperty(
        value=4.5, dtype=PvpropertyDouble[AiFields], record=AiFields, doc="An analog input"
    )


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="simple:", desc=SimpleIOC.__doc__)
    ioc = SimpleIOC(**ioc_options)
    for pv in ioc.pvdb.values():
        print(f"{pv.name} is a {pv.data_type.name}")
    fields = ioc.D.field_inst
    for field in (fields.record_type, fields.description, fields.raw_offset):
        print(f"{field.name}: {field.value!r}", flush=True)
    run(ioc.pvdb, **run_options)
