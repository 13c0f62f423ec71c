"""``python -m ioc_ops autosave``: what is done with save files at the command line."""

from ioc_ops.autosave.commands.cli import add_arguments, run

__all__ = ["add_arguments", "run"]
