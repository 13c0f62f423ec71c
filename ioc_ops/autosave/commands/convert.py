"""``autosave convert``: a save file in another format."""

import argparse

from ioc_ops.autosave.commands.console import Console
from ioc_ops.autosave.commands.files import load
from ioc_ops.autosave.commands.output import OutputFile

__all__ = ["run_convert"]


def run_convert(options: argparse.Namespace, console: Console) -> int:
    """Write a file in the format that its suffix or ``--to`` says.

    Args:
        options: ``source``, ``target``; ``to``, the name of a format or None; ``force``, whether
            to replace a file.
        console: where the report goes.

    Returns:
        0; 1 if the target lacks a value that the source has, or has one in a doubtful form.

    Raises:
        AutosaveError: the source does not verify, or the target cannot be written.
    """
    output = OutputFile(options.target, options.to, force=options.force)
    with console.progress("converting", 3, "step") as advance:
        source = load(options.source)
        advance()
        written = output.encode(source.dated())
        advance()
        output.write(written)
        advance()
    return output.report(source.snapshot, written, console)
