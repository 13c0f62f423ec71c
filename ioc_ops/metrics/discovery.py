"""Where Prometheus finds the IOCs of a site: a directory with a small JSON file for each.

The files are what Prometheus reads as ``file_sd``. An IOC writes its own when it starts and takes
it away at an orderly stop; that of an IOC which was killed stays, so that it is seen to be down,
until the IOC is started again.
"""

import json
import logging
import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ioc_ops.errors import ConfigurationError

__all__ = ["Registration", "Target", "read_targets"]

_log = logging.getLogger(__name__)

# Seconds for which storage that hangs may delay the start of an IOC.
_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class Target:
    """Something to scrape: ``"host:port"``, and labels for all that comes from there."""

    address: str
    labels: Mapping[str, str]

    def group(self) -> dict[str, object]:
        """As Prometheus reads it."""
        return {"targets": [self.address], "labels": dict(self.labels)}


class Registration:
    """The file of one IOC in ``directory``.

    Args:
        directory: must be there.
        name: of the IOC; another one of the same name would take its place.
    """

    def __init__(self, directory: str | os.PathLike[str], name: str) -> None:
        self.path = Path(directory) / f"{quote(name, safe=' ')}.json"
        self._text = ""
        self._over = False
        self._refusal: OSError | None = None

    def begin(self, target: Target, patience: float = _PATIENCE) -> None:
        """Write the file, in place of what an earlier run has left.

        Returns after ``patience`` seconds at the latest: storage that answers later gets the
        file later.

        Raises:
            ConfigurationError: the directory cannot be written.
        """
        self._text = json.dumps([target.group()], ensure_ascii=False) + "\n"
        writer = threading.Thread(target=self._write, name="ioc_ops-sd", daemon=True)
        writer.start()
        writer.join(patience)
        if self._refusal is not None:
            raise ConfigurationError(
                f"cannot write {self.path}: {self._refusal.strerror}; "
                "give --metrics-sd a directory that the IOC may write"
            )
        if writer.is_alive():
            _log.warning("metrics: %s has not answered for %g s", self.path.parent, patience)

    def end(self) -> None:
        """Take the file away, unless another process has written it since. May block."""
        self._over = True
        try:
            if self._text and self.path.read_text(encoding="utf-8") == self._text:
                self.path.unlink()
        except FileNotFoundError:
            pass
        except (OSError, UnicodeError) as problem:
            _log.warning("metrics: cannot remove %s: %s", self.path, problem)

    def _write(self) -> None:
        # Prometheus looks for *.json and must not see half a file.
        temporary = self.path.with_name(f".{self.path.name}.{os.getpid()}.tmp")
        try:
            temporary.write_text(self._text, encoding="utf-8")
            temporary.replace(self.path)
        except OSError as problem:
            self._refusal = problem
            with suppress(OSError):
                temporary.unlink()
        if self._over:
            self.end()


def read_targets(directory: str | os.PathLike[str]) -> tuple[list[object], dict[str, str]]:
    """All target groups in the files of a directory.

    Returns:
        The groups, in the order of the files' names; and why files could not be used, by name.

    Raises:
        OSError: the directory cannot be read.
    """
    groups: list[object] = []
    refused: dict[str, str] = {}
    for name in sorted(os.listdir(directory)):
        if not name.endswith(".json"):
            continue
        try:
            found = json.loads(Path(directory, name).read_text(encoding="utf-8"))
            _check(found)
        except FileNotFoundError:
            continue  # an IOC has stopped just now
        except OSError as problem:
            refused[name] = str(problem.strerror)
        except (ValueError, RecursionError) as problem:
            refused[name] = str(problem)
        else:
            groups += found
    return groups, refused


def _check(found: object) -> None:
    """Raises ValueError for what Prometheus would not take; one bad file would cost it all."""
    if not isinstance(found, list):
        raise ValueError("it is no list of target groups")
    for group in found:
        if not isinstance(group, dict) or not group.keys() <= {"targets", "labels"}:
            raise ValueError("a target group has targets and labels, and nothing else")
        targets, labels = group.get("targets"), group.get("labels", {})
        if not isinstance(targets, list) or not all(isinstance(each, str) for each in targets):
            raise ValueError("targets are a list of texts")
        if not isinstance(labels, dict) or not all(isinstance(v, str) for v in labels.values()):
            raise ValueError("labels have texts as values")
