"""PVs of running IOCs as their clients see them: read, written, compared with saved values."""

from ioc_ops.autosave.live.client import LiveClient, Reading

__all__ = ["LiveClient", "Reading"]
