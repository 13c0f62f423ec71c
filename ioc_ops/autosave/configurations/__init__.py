"""Named configurations: several states of some PVs, saved and loaded by an operator."""

from ioc_ops.autosave.configurations.files import ConfigEntry
from ioc_ops.autosave.configurations.menu import ConfigMenu
from ioc_ops.autosave.configurations.values import ConfigReport

__all__ = ["ConfigEntry", "ConfigMenu", "ConfigReport"]
