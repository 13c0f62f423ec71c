"""EPICS Channel Access IOCs in Python, with autosave, status PVs and Prometheus metrics."""

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    # On demand: reading the metadata of the installed package takes longer than all of ours.
    if name != "__version__":
        raise AttributeError(f"module 'ioc_ops' has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("ioc-ops")
    except PackageNotFoundError:  # run from a source tree that is not installed
        return "0+unknown"
