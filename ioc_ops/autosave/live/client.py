"""PVs of running IOCs, read and written through Channel Access by aioca (libca of EPICS Base)."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Self, TypeVar

from ioc_ops.autosave.live.values import (
    STRING_BYTES,
    LivePV,
    Put,
    exact,
    is_exact,
    value_of,
)
from ioc_ops.autosave.values import UntypedValue, Value
from ioc_ops.ca import ChannelType, Eca
from ioc_ops.errors import AutosaveError

__all__ = ["LiveClient", "Reading"]

_T = TypeVar("_T")

_NOT_CONNECTED = "not connected"
# Codes that deserve words of our own; all others have those of libca.
_LATE, _GONE = "no answer in time", "the IOC is gone"
_WORDS: dict[int, str] = {Eca.TIMEOUT: _LATE, Eca.DISCONN: _GONE}
# What a channel can be; libca has another number for one that is not connected.
_NATIVE_TYPES = frozenset(range(ChannelType.DOUBLE + 1))
_PERHAPS_CUT = STRING_BYTES - 3
"""Bytes from which on a STRING may have lost its end: a character of UTF-8 has up to four."""
_LONG_TIMEOUT = 2.0
"""Seconds within which ``NAME$`` must answer where ``NAME`` has answered already."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of reading a PV."""

    #: None if it did not connect.
    pv: LivePV | None = None
    #: None if it could not be read.
    value: Value | None = None
    #: Why there is no value.
    reason: str = ""

    @property
    def connected(self) -> bool:
        """Whether an IOC serves it."""
        return self.pv is not None


class LiveClient:
    """A client of Channel Access. All PVs of one call connect and are read at the same time.

    A context: at its end all channels are closed. What its methods give is for `run`.
    """

    def __init__(self, timeout: float, put_timeout: float = 30.0) -> None:
        """Make one that has no channels yet.

        Args:
            timeout: seconds within which PVs must connect, and each of them be read.
            put_timeout: seconds within which a write must complete.

        Raises:
            AutosaveError: aioca, the extra ``client``, is not installed.
        """
        try:
            import aioca  # type: ignore[import-untyped]
        except ImportError as error:
            raise AutosaveError(
                "to reach IOCs, install aioca: pip install ioc-ops[client]"
            ) from error
        self.library: ModuleType = aioca
        self.timeout = timeout
        self.put_timeout = put_timeout
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        """Begin."""
        self._runner.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close all channels."""
        self.library.purge_channel_caches()
        self._runner.close()

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Wait for something; SIGINT cancels it and raises KeyboardInterrupt."""
        return self._runner.run(work)

    async def read(
        self,
        names: Sequence[str],
        saved: Mapping[str, Value] | None = None,
        advance: Callable[[], None] = lambda: None,
        *,
        wait: bool = True,
    ) -> dict[str, Reading]:
        """Read PVs anew, all digits and characters of them.

        Args:
            names: of the PVs.
            saved: the values with which they will be compared, which may need more digits.
            advance: called for each PV that is done.
            wait: for PVs that are not connected now.

        Returns:
            In the order of ``names``; a PV that does not answer has its reason.
        """
        deadline = time.time() + self.timeout

        async def read(name: str) -> Reading:
            reading = await self._read(name, (saved or {}).get(name), deadline, wait)
            advance()
            return reading

        return dict(zip(names, await asyncio.gather(*map(read, names)), strict=True))

    async def _read(self, name: str, saved: Value | None, deadline: float, wait: bool) -> Reading:
        info = await self._ask(self.library.cainfo, name, wait=wait, timeout=(deadline,))
        if isinstance(info, str) or info.datatype not in _NATIVE_TYPES:
            return Reading(reason=_NOT_CONNECTED)
        pv = LivePV(ChannelType(info.datatype), info.count, writable=info.write)
        if not info.read:
            return Reading(pv, reason="no read access")
        # A scalar is one element, whatever the IOC says: lso without text has none.
        count = 1 if info.count == 1 else 0
        kind = bytes if pv.data_type == ChannelType.STRING else info.datatype
        payload = await self._get(name, kind, count)
        if isinstance(payload, str):
            return Reading(pv, reason=payload)
        if pv.data_type == ChannelType.ENUM:
            pv = LivePV(pv.data_type, pv.length, tuple(payload.enums), pv.writable)
        value = value_of(payload, pv)
        if pv.data_type == ChannelType.STRING and info.count == 1:
            value = await self._whole_text(name, value, saved)
        elif pv.data_type == ChannelType.DOUBLE and info.count == 1 and not is_exact(value, saved):
            text = await self._get(name, bytes, 1)
            if isinstance(text, bytes) and isinstance(value, float):
                value = exact(value, text.decode("ascii", "replace"))
        return Reading(pv, value)

    async def _get(self, name: str, datatype: object, count: int = 0) -> Any:
        """The value as aioca has it, or why there is none, as a `str` and no subclass of it."""
        library = self.library
        # Only an ENUM needs its metadata, the names of the states.
        form = library.FORMAT_CTRL if datatype == ChannelType.ENUM else library.FORMAT_RAW
        return await self._ask(
            library.caget, name, datatype=datatype, format=form, count=count, timeout=self.timeout
        )

    async def _whole_text(self, name: str, value: Value, saved: Value | None) -> Value:
        if max(_length(value), _length(saved)) < _PERHAPS_CUT:
            return value
        long_name = await self._long_name(name)
        if long_name is None:
            return value
        payload = await self._get(long_name, int(ChannelType.CHAR))
        if isinstance(payload, str):
            return value
        characters = value_of(payload, LivePV(ChannelType.CHAR, max(2, payload.element_count)))
        assert isinstance(characters, bytes)  # noqa: S101 - of CHAR arrays
        raw = characters.split(b"\0", 1)[0]
        return value_of(raw, LivePV(ChannelType.STRING))

    async def _long_name(self, name: str) -> str | None:
        """Under which a text is served as characters; None if it is not."""
        names = [f"{name}$"] if "." in name else [f"{name}.VAL$", f"{name}$"]
        for long_name in names:
            timeout = min(self.timeout, _LONG_TIMEOUT)
            info = await self._ask(self.library.cainfo, long_name, timeout=timeout)
            if not isinstance(info, str) and info.datatype == ChannelType.CHAR:
                return long_name
        return None

    async def is_connected(self, name: str) -> bool:
        """Whether a PV that was read has not been lost since."""
        info = await self._ask(self.library.cainfo, name, wait=False, timeout=None)
        return not isinstance(info, str) and info.datatype in _NATIVE_TYPES

    async def write(self, name: str, put: Put) -> str | None:
        """Write a PV and wait until the IOC has completed that (put-callback).

        Args:
            name: of a PV that was read.
            put: what to write.

        Returns:
            None, or why it was not written.

        Raises:
            TimeoutError: it has not completed in time; it may still do so.
            ConnectionError: the IOC went away meanwhile.
        """
        if put.long:
            long_name = await self._long_name(name)
            if long_name is None:
                return f"text of more than {STRING_BYTES} bytes, and there is no {name}$"
            name = long_name
        done = await self._ask(
            self.library.caput,
            name,
            put.payload,
            datatype=int(put.data_type),
            wait=True,
            timeout=self.put_timeout,
        )
        if done is _LATE:
            raise TimeoutError
        if done is _GONE:
            raise ConnectionError
        return done if isinstance(done, str) else None

    async def _ask(
        self, request: Callable[..., Awaitable[Any]], name: str, *args: object, **options: object
    ) -> Any:
        """What a request gives, or as a `str` (the values are of other types) why it fails."""
        try:
            result = await request(name, *args, throw=False, **options)
        except Exception as error:  # what aioca cannot decode: states in another encoding ...
            return f"{type(error).__name__}: {error}"
        if result.ok:
            return result
        return _WORDS.get(result.errorcode) or str(result).removeprefix(f"{name}: ")


def _length(value: Value | None) -> int:
    if isinstance(value, UntypedValue):
        value = value.text if isinstance(value.text, str) else ""
    return len(value.encode("utf-8", "surrogateescape")) if isinstance(value, str) else 0
