"""The save file: bytes to `Snapshot` and back, with no file in sight.

A file is one JSON object, one PV a line and sorted by name, so that `diff` and version control
show which PV changed and an operator can read it:

    {
    "format": "ioc_ops autosave",
    "version": 1,
    "ioc": "my:",
    "saved": "2026-03-01T12:00:00.000000+00:00",
    "serial": 17,
    "count": 2,
    "pvs": {
    "my:mode": {"enum": 1, "state": "Auto"},
    "my:setpoint": 1.5
    },
    "carried": {
    "my:gone": {"since": 1767225600, "value": 3}
    },
    "sha256": "…"
    }

The checksum is over every byte before its own line, so a file that was cut, edited or damaged
anywhere does not verify. ``carried`` holds the last values of PVs that were not there when the
file was written. Values are in the forms of `ioc_ops.autosave.values`.

caproto's files, ``{"pv": {"value": ..., "fields": {...}}}``, are read as well, so that an IOC
which moves over keeps its values. They have no checksum: what parses is taken.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from ioc_ops.autosave.pauses import gently
from ioc_ops.autosave.snapshot import CarriedValue, Snapshot
from ioc_ops.autosave.values import JsonValue, Value, from_json, to_parts
from ioc_ops.errors import AutosaveError

__all__ = ["HEAD_SIZE", "carried_line", "compose", "dumps", "loads", "serial_of", "value_line"]

_FORMAT = "ioc_ops autosave"
_VERSION = 1
_HEAD = f'{{\n"format": "{_FORMAT}"'.encode()
_PLAIN_NAME = re.compile(r"[\w:.{}<>;+\-\[\]$ ]*", re.ASCII).fullmatch
#: Bytes from the beginning that hold the serial.
HEAD_SIZE = 1024
_SERIAL = re.compile(
    re.escape(_HEAD)
    + rb',\n"version": \d+,\n"ioc": "(?:[^"\\]|\\.)*",\n"saved": "[^"]*",\n"serial": (\d{1,15}),'
)
_TAIL = re.compile(rb'"sha256": "([0-9a-f]{64})"\n}\n\Z')
_TAIL_LENGTH = len(b'"sha256": ""\n}\n') + 64
# Lines joined per piece: a join keeps the interpreter, 1,000 short lines cost 0.1 ms.
_LINES_PER_PIECE = 1000
_LONG_LINE = 65536


def dumps(snapshot: Snapshot) -> bytes:
    """The bytes of a save file.

    Raises:
        AutosaveError: a value cannot be saved exactly; the message names the PV.
    """
    return b"".join(
        compose(
            [value_line(name, snapshot.values[name]) for name in sorted(snapshot.values)],
            [carried_line(name, snapshot.carried[name]) for name in sorted(snapshot.carried)],
            saved_at=snapshot.saved_at or 0.0,
            serial=snapshot.serial,
            ioc=snapshot.ioc,
        )
    )


def value_line(name: str, value: object) -> bytes:
    """The line of one PV, without a line end: ``"my:pv": 1.5``.

    Raises:
        AutosaveError: the value cannot be saved exactly.
    """
    try:
        return b"".join([_key(name), *to_parts(value)])
    except AutosaveError as error:
        raise AutosaveError(f"{name}: {error}") from error


def carried_line(name: str, carried: CarriedValue) -> bytes:
    """The line of a PV that is missing, with its last value."""
    since = f'{{"since": {carried.since:d}, "value": '.encode()
    return b"".join([_key(name), since, *to_parts(carried.value), b"}"])


def _key(name: str) -> bytes:
    # Names come from the source of the IOC: whatever is in them, the file stays valid.
    return f'"{name}": '.encode() if _PLAIN_NAME(name) else f"{json.dumps(name)}: ".encode()


def compose(
    lines: Sequence[bytes],
    carried: Sequence[bytes] = (),
    *,
    saved_at: float,
    serial: int,
    ioc: str,
) -> list[bytes]:
    """A save file of ready lines, in pieces to be written one after the other."""
    saved = datetime.fromtimestamp(saved_at, UTC).isoformat(timespec="microseconds")
    head = (
        f'"version": {_VERSION},\n"ioc": {json.dumps(ioc)},\n"saved": "{saved}",\n'
        f'"serial": {serial:d},\n"count": {len(lines):d},\n"pvs": {{\n'
    )
    pieces = [_HEAD + b",\n" + head.encode()]
    pieces += gently(_joined(lines))
    if carried:
        pieces.append(b'},\n"carried": {\n')
        pieces += gently(_joined(carried))
    pieces.append(b"},\n")
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    pieces.append(f'"sha256": "{digest.hexdigest()}"\n}}\n'.encode())
    return pieces


def _joined(lines: Sequence[bytes]) -> Iterable[bytes]:
    """Short lines together; a long one by itself, as joining would copy it."""
    last = len(lines) - 1
    short: list[bytes] = []
    for number, line in enumerate(lines):
        short += (line, b",\n" if number < last else b"\n")
        if len(line) > _LONG_LINE:
            *before, line, after = short
            yield b"".join(before)
            yield line
            short = [after]
        elif len(short) >= 2 * _LINES_PER_PIECE:
            yield b"".join(short)
            short = []
    yield b"".join(short)


def loads(data: bytes) -> Snapshot:
    """Read a save file, ours or caproto's.

    Returns:
        The state. An entry in no known form is in ``unreadable``, the others are there.

    Raises:
        AutosaveError: the data is no save file, or is not what was once written; says why.
    """
    if not data:
        raise AutosaveError("the file is empty")
    ours = data.startswith(_HEAD)
    if ours:
        _verify(data)
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise AutosaveError(f"not JSON: {error}") from error
    if not isinstance(content, dict):
        raise AutosaveError("not a save file: the JSON in it is no object")
    if not ours and content.get("format") == _FORMAT:
        raise AutosaveError("the file was edited, or written anew by another program")
    return _read_own(content) if ours else _read_caproto(content)


def serial_of(head: bytes) -> int:
    """The serial in the first `HEAD_SIZE` bytes of a save file, which may be damaged; 0 if none."""
    match = _SERIAL.match(head)
    return int(match[1]) if match else 0


def _verify(data: bytes) -> None:
    version = re.match(rb',\n"version": (\d{1,9}),\n', data[len(_HEAD) : len(_HEAD) + 40])
    if version and int(version[1]) != _VERSION:
        raise AutosaveError(f"the file is of version {int(version[1])}, known is {_VERSION}")
    tail = _TAIL.search(data, max(0, len(data) - _TAIL_LENGTH))
    if tail is None:
        raise AutosaveError("the file is cut off: it does not end with its checksum")
    digest = hashlib.sha256(memoryview(data)[: tail.start()]).hexdigest()
    if digest.encode() != tail[1]:
        raise AutosaveError("the checksum is wrong: the file is damaged or was edited")


def _read_own(content: Mapping[str, JsonValue]) -> Snapshot:
    if content.get("version") != _VERSION:
        raise AutosaveError("the file does not tell its version")
    unreadable: dict[str, str] = {}
    entries = _section(content, "pvs")
    if content.get("count") != len(entries):
        raise AutosaveError(f"{len(entries)} PVs in the file, {content.get('count')} announced")
    values = _values(entries, unreadable)
    carried: dict[str, CarriedValue] = {}
    for name, entry in _section(content, "carried").items():
        since = entry.get("since") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(since, int) or "value" not in entry:
            unreadable[name] = "a carried value without 'since' and 'value'"
            continue
        try:
            carried[name] = CarriedValue(from_json(entry["value"]), since)
        except AutosaveError as error:
            unreadable[name] = str(error)
    saved, serial, ioc = content.get("saved"), content.get("serial"), content.get("ioc")
    if not isinstance(saved, str) or not isinstance(serial, int) or not isinstance(ioc, str):
        raise AutosaveError("the head of the file lacks 'saved', 'serial' or 'ioc'")
    try:
        saved_at = datetime.fromisoformat(saved).timestamp()
    except (ValueError, OverflowError) as error:
        raise AutosaveError(f"no time of saving: {error}") from error
    return Snapshot(values, carried, unreadable, saved_at, serial, ioc)


def _section(content: Mapping[str, JsonValue], key: str) -> dict[str, JsonValue]:
    section = content.get(key, {})
    if not isinstance(section, dict):
        raise AutosaveError(f"{key!r} in the file is no object")
    return section


def _values(entries: Mapping[str, JsonValue], unreadable: dict[str, str]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, entry in entries.items():
        try:
            values[name] = from_json(entry)
        except AutosaveError as error:
            unreadable[name] = str(error)
    return values


def _read_caproto(content: Mapping[str, JsonValue]) -> Snapshot:
    unreadable: dict[str, str] = {}
    entries: dict[str, JsonValue] = {}
    for name, entry in content.items():
        if not isinstance(entry, dict) or "value" not in entry:
            raise AutosaveError(
                f"neither an ioc_ops nor a caproto save file: {name[:60]!r} has no 'value'"
            )
        entries[name] = _plain(entry["value"])
        fields = entry.get("fields") or {}
        if not isinstance(fields, dict):
            unreadable[f"{name}.*"] = "'fields' is no object"
            continue
        entries |= {f"{name}.{field}": _plain(value) for field, value in fields.items()}
    return Snapshot(_values(entries, unreadable), unreadable=unreadable)


def _plain(value: JsonValue) -> JsonValue:
    # caproto writes numbers, text and lists of them; an object is nothing of its making.
    return None if isinstance(value, dict) else value
