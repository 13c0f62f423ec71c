"""Each value written to a PV goes into a file named like the PV."""

import tempfile
from pathlib import Path

from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    ioc_arg_parser,
    pvproperty,
    run,
)


class CustomWrite(PVGroup):
    """
    Each value that a client writes to A or B lands as text in a file named A or B.

    The files lie in the system's directory for temporary files (TMPDIR). A client
    that asks for completion gets its answer when the file is written; if that
    fails, the client gets the error and the PV keeps its old value, in alarm.
    """

    DIRECTORY = Path(tempfile.gettempdir())

    async def to_file(self, instance: PvpropertyData, value: int) -> int:
        """Write `value` to the file of this PV. A slow disk must not hold up the other PVs."""
        path = self.DIRECTORY / instance.pvspec.attr
        await self.async_lib.run_in_thread(path.write_text, str(value))
        print(f"Wrote {value} to {path}", flush=True)
        return value

    A = pvproperty(put=to_file, value=0, doc="Goes to the file A")
    B = pvproperty(put=to_file, value=0, doc="Goes to the file B")

    @A.startup
    async def A(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """Keep the async library for the putters."""
        self.async_lib = async_lib


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(
        default_prefix="custom_write:", desc=CustomWrite.__doc__
    )
    ioc = CustomWrite(**ioc_options)
    run(ioc.pvdb, **run_options)
