"""AutosaveHelper: the group that restores the PVs of an IOC at its start and saves them."""

import os
from collections.abc import Iterable, Mapping

from ioc_ops.autosave.files.generations import RotatingFileManager
from ioc_ops.autosave.save_set import SaveSet, save_sets_of
from ioc_ops.autosave.schedule import SAVED_AT_STOP, Method
from ioc_ops.autosave.synapps_status import SaveRestoreStatus
from ioc_ops.autosave.tag import MAIN_SET
from ioc_ops.errors import AutosaveError
from ioc_ops.group import PVGroup, SubGroup, root_of

__all__ = ["AutosaveHelper"]


class AutosaveHelper(SaveSet):
    """Saves every PV in the group tree that is marked with `autosaved`.

    ``autosave = SubGroup(AutosaveHelper, file_manager=RotatingFileManager("state/my.json"))``
    anywhere in an IOC covers the whole tree, up to the root and all groups below it; but for PVs
    that are marked for a `SaveSet` of their own.

    Values are restored before a client can connect and before any startup hook runs, without
    running putters. They are saved about one second after the first change, then at most every
    ``period`` seconds as long as changes go on, at an orderly stop, and when a client writes 1
    to ``SAVE``: with put-callback, that completes when the values are on disk. If nothing has
    changed no file is written. Files are touched in a thread of its own.

    It also serves the SR_ status PVs of synApps for all save sets of the IOC.
    """

    filename: str | os.PathLike[str] | None = "autosave.json"
    """The save file, if no ``file_manager`` is given."""

    synapps_status = SubGroup(SaveRestoreStatus, prefix="")

    def __init__(
        self,
        prefix: str = "",
        *,
        macros: Mapping[str, str] | None = None,
        parent: PVGroup | None = None,
        name: str | None = None,
        file_manager: RotatingFileManager | None = None,
        period: float | None = None,
        method: Method | str = Method.ON_CHANGE,
        trigger: str | None = None,
        request: str | os.PathLike[str] | None = None,
        request_macros: Mapping[str, str] | None = None,
        request_path: Iterable[str | os.PathLike[str]] = (),
    ) -> None:
        """Make the helper; touches no disk. Arguments and errors as for `SaveSet`."""
        super().__init__(
            prefix,
            macros=macros,
            parent=parent,
            name=name,
            file_manager=file_manager,
            period=period,
            method=method,
            trigger=trigger,
            save_set=MAIN_SET,
            request=request,
            request_macros=request_macros,
            request_path=request_path,
        )

    async def save(self) -> None:
        """Save now what has changed, in all sets that are saved by themselves.

        Raises:
            AutosaveError: something is not on disk, or the IOC does not run.
        """
        troubles = []
        others = [each for each in save_sets_of(root_of(self)) if each is not self]
        for save in [super().save, *(o.save for o in others if o.method in SAVED_AT_STOP)]:
            try:
                await save()
            except AutosaveError as error:
                troubles.append(str(error))
        if troubles:
            raise AutosaveError("; ".join(troubles))
