"""Autosave: PVs that keep their values over restarts, kill -9, a full disk and a damaged file."""

from ioc_ops.autosave.autosave_helper import AutosaveHelper
from ioc_ops.autosave.compare import Tolerance
from ioc_ops.autosave.configurations.files import ConfigEntry
from ioc_ops.autosave.configurations.menu import ConfigMenu
from ioc_ops.autosave.configurations.values import ConfigReport
from ioc_ops.autosave.files.generations import RotatingFileManager
from ioc_ops.autosave.files.results import LoadResult, RejectedFile, SaveResult
from ioc_ops.autosave.restore import RestoreReport
from ioc_ops.autosave.save_set import SaveSet
from ioc_ops.autosave.schedule import Method
from ioc_ops.autosave.snapshot import CarriedValue, Snapshot, SnapshotDiff
from ioc_ops.autosave.stats import AutosaveStats
from ioc_ops.autosave.synapps_status import SaveRestoreStatus
from ioc_ops.autosave.tag import AutosaveTag, autosaved
from ioc_ops.autosave.values import EnumValue

__all__ = [
    "AutosaveHelper",
    "AutosaveStats",
    "AutosaveTag",
    "CarriedValue",
    "ConfigEntry",
    "ConfigMenu",
    "ConfigReport",
    "EnumValue",
    "LoadResult",
    "Method",
    "RejectedFile",
    "RestoreReport",
    "RotatingFileManager",
    "SaveRestoreStatus",
    "SaveResult",
    "SaveSet",
    "Snapshot",
    "SnapshotDiff",
    "Tolerance",
    "autosaved",
]
