"""Give PVs their saved values back, without running a putter, and report it PV by PV."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from ioc_ops.autosave.files.results import RejectedFile
from ioc_ops.autosave.snapshot import Snapshot
from ioc_ops.autosave.untyped import typed
from ioc_ops.autosave.values import EnumValue, UntypedValue, Value
from ioc_ops.channel import ChannelData, ChannelEnum, ChannelType
from ioc_ops.channel import Value as ChannelValue
from ioc_ops.errors import AutosaveError, ChannelError

__all__ = [
    "Outcome",
    "RestoreReport",
    "apply",
    "fitting",
    "log_report",
    "report_of",
    "restore_steps",
    "restore_value",
    "short",
]

# What files of other systems have for characters, signed or not.
_BYTES = range(-128, 256)
# Of very many PVs with one trouble the log names these.
_NAMED_PVS = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one PV."""

    name: str
    #: None: it has its saved value. Else why it has not.
    reason: str | None


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What a restore did."""

    #: The file that was restored; None if there was none that could be.
    path: Path | None = None
    #: PVs that have their saved value again.
    restored: tuple[str, ...] = ()
    #: PVs whose saved value does not fit, and why. They have their default.
    skipped: Mapping[str, str] = field(default_factory=dict)
    #: PVs of which the file says nothing. They have their default.
    unsaved: tuple[str, ...] = ()
    #: PVs in the file that are not served now. Their values are carried forward.
    missing: tuple[str, ...] = ()
    #: Newer files that could not be used.
    rejected: tuple[RejectedFile, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every saved value of a served PV is back, from the newest file."""
        return not self.skipped and not self.rejected

    @property
    def details(self) -> str:
        """The summary and the first reasons, on one line."""
        reasons = [f"{rejected.path.name}: {rejected.reason}" for rejected in self.rejected]
        reasons += [f"{n}: {reason}" for n, reason in islice(self.skipped.items(), _NAMED_PVS)]
        return "; ".join([str(self), *reasons])

    def lines(self) -> Iterator[str]:
        """All of it, one PV a line: what operators read when values are not what they were."""
        yield str(self)
        for each in self.rejected:
            yield f"file {each.path.name} unusable: {each.reason}"
        for name, reason in self.skipped.items():
            yield f"{name} not restored: {reason}"
        for name in self.missing:
            yield f"{name} not served now, its value is kept"
        for name in self.unsaved:
            yield f"{name} not in the file, it has its default"
        for name in self.restored:
            yield f"{name} restored"

    def __str__(self) -> str:
        """One line for the log and the status PV."""
        if self.path is None:
            return "no save file" if not self.rejected else "no save file could be used"
        parts = [f"{len(self.restored)} PVs restored from {self.path.name}"]
        if self.skipped:
            parts.append(f"{len(self.skipped)} not restored")
        if self.missing:
            parts.append(f"{len(self.missing)} missing")
        if self.rejected:
            parts.append(f"{len(self.rejected)} newer files unusable")
        return ", ".join(parts)


def log_report(report: RestoreReport, filename: Path, log: logging.Logger) -> None:
    """Tell what became of a restore; of very many PVs with one trouble the first ones.

    Args:
        report: what became of it.
        filename: of the save file, to name it where none was there.
        log: where to tell.
    """
    for rejected in report.rejected:
        kept = "" if rejected.moved_to is None else f"; kept as {rejected.moved_to.name}"
        log.error("autosave: cannot use %s: %s%s", rejected.path, rejected.reason, kept)
    log.info("autosave: %s%s", report, f": {filename}" if report.path is None else "")
    troubles = [f"{name} not restored: {reason}" for name, reason in report.skipped.items()]
    troubles += [f"{name} is not served now, its value is kept" for name in report.missing]
    for trouble in troubles[:_NAMED_PVS]:
        log.warning("autosave: %s", trouble)
    if len(troubles) > _NAMED_PVS:
        log.warning("autosave: and %d PVs more", len(troubles) - _NAMED_PVS)


def apply(
    snapshot: Snapshot,
    channels: Mapping[str, ChannelData],
    *,
    path: Path | None = None,
    rejected: tuple[RejectedFile, ...] = (),
) -> RestoreReport:
    """Restore PVs and report.

    Args:
        snapshot: the saved state.
        channels: the PVs to restore, by the name under which they are saved.
        path: of the snapshot, for the report.
        rejected: likewise.
    """
    outcomes = list(restore_steps(snapshot, channels))
    return report_of(outcomes, snapshot, channels, path=path, rejected=rejected)


def restore_steps(snapshot: Snapshot, channels: Mapping[str, ChannelData]) -> Iterator[Outcome]:
    """Restore one PV at each step, so that the caller can make pauses between them."""
    for name, channel in channels.items():
        value = snapshot.find(name)
        if value is None:
            if name in snapshot.unreadable:
                yield Outcome(name, snapshot.unreadable[name])
            continue
        try:
            restore_value(channel, value)
        except (AutosaveError, ChannelError) as error:
            yield Outcome(name, str(error))
        except Exception as error:  # a PV class of the user may raise what it likes
            yield Outcome(name, f"{type(error).__name__}: {error}")
        else:
            yield Outcome(name, None)


def report_of(
    outcomes: list[Outcome],
    snapshot: Snapshot,
    channels: Mapping[str, ChannelData],
    *,
    path: Path | None,
    rejected: tuple[RejectedFile, ...],
) -> RestoreReport:
    """Sum up the outcomes of `restore_steps`."""
    seen = {outcome.name for outcome in outcomes}
    saved = {**snapshot.values, **snapshot.carried}
    return RestoreReport(
        path=path,
        restored=tuple(outcome.name for outcome in outcomes if outcome.reason is None),
        skipped={o.name: o.reason for o in outcomes if o.reason is not None},
        unsaved=tuple(name for name in channels if name not in seen),
        missing=tuple(name for name in saved if name not in channels),
        rejected=rejected,
    )


def restore_value(channel: ChannelData, value: Value) -> None:
    """Set a PV to a saved value; no putter runs.

    Raises:
        AutosaveError: the PV would take it, but as another value than the saved one.
        ChannelError: it does not fit the type, length, states or limits.
    """
    channel.restore(fitting(channel, value))


def fitting(channel: ChannelData, value: Value) -> ChannelValue:
    """What to write to a PV so that it has a saved value. Raises as `restore_value` does."""
    if isinstance(value, UntypedValue):
        value = typed(value, channel)
    if isinstance(value, EnumValue):
        return _state_of(channel, value)
    if not isinstance(channel, ChannelEnum):
        # The types of PVs take a little more than they can hold: 5.7 for an integer, 300 for a
        # character. An operator who set 5.7 must not find 5 after a restart, and no word of it.
        taken = channel.present(channel.convert(value))
        if not _equal(taken, value, loosely=channel.data_type == ChannelType.FLOAT):
            raise AutosaveError(f"{short(value)} would come back as {short(taken)}")
    return value


def _state_of(channel: ChannelData, saved: EnumValue) -> str | int:
    if not isinstance(channel, ChannelEnum):
        raise AutosaveError(
            f"the saved value is state {saved.index} {saved.state!r} of an enum, "
            f"and the PV is a {channel.data_type.name} now"
        )
    states = channel.enum_strings
    # The name tells what was meant. The index serves where no name was, and among equal names.
    if saved.index < len(states) and states[saved.index] == saved.state:
        return saved.index
    if saved.state in states:
        return states.index(saved.state)
    if not saved.state and saved.index >= len(states):
        return saved.index  # the PV itself knows whether it takes unnamed states
    raise AutosaveError(
        f"state {saved.index} {saved.state!r} is none of {', '.join(states) or 'no states'}"
    )


def _equal(taken: object, saved: object, *, loosely: bool) -> bool:
    if type(taken) is type(saved) and taken is not None and _same_scalar(taken, saved):
        return True
    if isinstance(taken, str | bytes) or isinstance(saved, str | bytes):
        return _characters(taken) == _characters(saved)
    one, other = np.ravel(np.asarray(taken)), np.ravel(np.asarray(saved))
    if one.dtype.kind not in "biuf" or other.dtype.kind not in "biuf":
        return one.tolist() == other.tolist()
    if loosely:
        with np.errstate(over="ignore"):
            one, other = one.astype(np.float32), other.astype(np.float32)
    if one.dtype.kind == other.dtype.kind == "f":
        return bool(np.array_equal(one, other, equal_nan=True))
    # Of an integer and a float Python compares the exact values, numpy rounded ones.
    return one.shape == other.shape and (
        one.tolist() == other.tolist() if one.dtype != other.dtype else bool((one == other).all())
    )


def _same_scalar(taken: object, saved: object) -> bool:
    return isinstance(taken, int | float | str | bytes) and taken == saved


def _characters(value: object) -> object:
    """A text as what a client sees of it; a list of one is as good as what is in it."""
    if isinstance(value, np.ndarray):
        value = value.ravel().tolist()
    if isinstance(value, list | tuple) and len(value) == 1 and isinstance(value[0], str | bytes):
        value = value[0]
    if isinstance(value, str):
        text = value.rstrip("\0")
        # Beyond ASCII it takes an encoding to tell whether bytes mean the same.
        return text.encode() if text.isascii() else text
    if isinstance(value, bytes):
        return value.rstrip(b"\0")
    if isinstance(value, list | tuple) and all(each in _BYTES for each in value):
        return bytes(int(each) & 0xFF for each in value).rstrip(b"\0")
    return value


def short(value: object) -> str:
    """A value for a message."""
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
