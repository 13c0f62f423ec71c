"""Save files on disk: written safely, rotated, locked, kept and deleted, in a thread of its own."""

from ioc_ops.autosave.files.filesystem import FileSystem
from ioc_ops.autosave.files.generations import RotatingFileManager
from ioc_ops.autosave.files.results import LoadResult, RejectedFile, SaveResult
from ioc_ops.autosave.files.thread import Clock, Job, StorageThread

__all__ = [
    "Clock",
    "FileSystem",
    "Job",
    "LoadResult",
    "RejectedFile",
    "RotatingFileManager",
    "SaveResult",
    "StorageThread",
]
