"""The PVs by which operators have one save set saved and restored."""

from pathlib import Path

from ioc_ops.autosave.restore import RestoreReport
from ioc_ops.autosave.status_pvs import AutosaveStatusPVs
from ioc_ops.channel import ChannelData, ChannelType
from ioc_ops.errors import AutosaveError, ChannelError
from ioc_ops.group import pvproperty

__all__ = ["AutosaveControlPVs"]


class AutosaveControlPVs(AutosaveStatusPVs):
    """``SAVE``, ``RESTORE`` and ``RESTORE_FILE``; a put completes when it is done, or fails."""

    async def save(self) -> None:
        """Save now what has changed. Raises AutosaveError."""
        raise NotImplementedError

    async def restore_now(self, file: str = "") -> RestoreReport:
        """Restore a file now. Raises AutosaveError."""
        raise NotImplementedError

    async def _at_save_request(self, instance: ChannelData, value: str) -> str:
        if value == "Save":
            try:
                await self.save()
            except AutosaveError as error:
                raise self._refused(f"{instance.name}: not saved: {error}") from error
        return "Idle"

    async def _at_restore_request(self, instance: ChannelData, value: str) -> str:
        if value == "Restore":
            try:
                await self.restore_now(self.restore_file.value)
            except AutosaveError as error:
                raise self._refused(f"{instance.name}: not restored: {error}") from error
        return "Idle"

    def _refused(self, why: str) -> ChannelError:
        # There is no fault in the hook; but who asked may be a screen, which does not tell why.
        self.log.error("autosave: %s", why)
        return ChannelError(why)

    async def _at_restore_file(self, instance: ChannelData, value: str) -> None:
        if Path(value).name != value:
            raise ChannelError(f"{instance.name}: {value!r}: give the name of a file alone")

    save_request = pvproperty(
        name="SAVE",
        dtype=ChannelType.ENUM,
        enum_strings=("Idle", "Save"),
        value="Idle",
        put=_at_save_request,
        doc="Write 1 to save now; completes when it is on disk",
    )
    restore_request = pvproperty(
        name="RESTORE",
        dtype=ChannelType.ENUM,
        enum_strings=("Idle", "Restore"),
        value="Idle",
        put=_at_restore_request,
        doc="Write 1 to restore RESTORE_FILE now; completes when all putters have",
    )
    restore_file = pvproperty(
        name="RESTORE_FILE",
        value="",
        max_length=256,
        put=_at_restore_file,
        doc="Which of the files to restore, by name; empty for the newest",
    )
