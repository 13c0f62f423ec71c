"""Writing saved values to running IOCs, in order, and what became of each PV."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from ioc_ops.autosave.compare import Tolerance
from ioc_ops.autosave.live.client import LiveClient, Reading
from ioc_ops.autosave.live.values import Put, agree, fit, put_of
from ioc_ops.autosave.values import Value
from ioc_ops.errors import AutosaveError

__all__ = ["PutResult", "Result", "check", "plan", "write_all"]


class Result(Enum):
    """What became of a PV, in the words of the report."""

    PLANNED = "would be written"
    WRITTEN = "written"
    UNCHANGED = "unchanged"
    DIFFERS = "differs"
    REFUSED = "refused"
    SKIPPED = "skipped"
    PENDING = "not completed"
    NOT_CONNECTED = "not connected"

    @property
    def good(self) -> bool:
        """Whether the PV has its saved value, or would get it."""
        return self in (Result.PLANNED, Result.WRITTEN, Result.UNCHANGED)


@dataclass(frozen=True, slots=True)
class PutResult:
    """A PV, and what became of it."""

    name: str
    result: Result
    #: Its value before; None if it could not be read.
    before: Value | None = None
    #: What it has in the end, if that is not its saved value.
    after: Value | None = None
    reason: str = ""

    def __str__(self) -> str:
        """For the report."""
        return f"{self.result.value}: {self.reason}" if self.reason else self.result.value


def plan(
    name: str, saved: Value, reading: Reading, *, rewrite: bool
) -> tuple[PutResult, Put | None]:
    """What to write to a PV, if anything.

    Args:
        name: of the PV.
        saved: its value in the file.
        reading: what the IOC serves.
        rewrite: whether to write also what has its value already.
    """
    pv, live = reading.pv, reading.value
    if pv is None:
        return PutResult(name, Result.NOT_CONNECTED), None
    if live is not None and not rewrite and agree(saved, live, pv, Tolerance()):
        return PutResult(name, Result.UNCHANGED, live), None
    if not pv.writable:
        return PutResult(name, Result.SKIPPED, live, reason="read-only"), None
    try:
        put = put_of(fit(saved, pv), pv)
    except AutosaveError as error:
        return PutResult(name, Result.REFUSED, live, reason=str(error)), None
    return PutResult(name, Result.PLANNED, live), put


async def write_all(
    client: LiveClient,
    values: Mapping[str, Value],
    planned: Mapping[str, tuple[PutResult, Put | None]],
    results: dict[str, PutResult],
    advance: Callable[[], None],
    *,
    jobs: int,
) -> None:
    """Write PVs in order, each when the one ``jobs`` before it has completed.

    Args:
        client: has connected to the PVs; those that are gone since are not waited for.
        values: by name, in the order of writing.
        planned: what `plan` gave for each.
        results: gets what became of each PV, as it happens: also if the rest is never reached.
        advance: called for each PV that is done.
        jobs: PVs being written at the same time.
    """
    waiting = iter(values.items())

    async def worker() -> None:
        for name, saved in waiting:
            result, put = planned[name]
            if result.result is Result.UNCHANGED:
                # The writes before may have changed it.
                reading = (await client.read([name], values, wait=False))[name]
                result, put = plan(name, saved, reading, rewrite=False)
            if put is not None:
                results[name] = replace(result, result=Result.PENDING, reason="interrupted")
                result = await _write(client, result, put)
            results[name] = result
            advance()

    await asyncio.gather(*(worker() for _ in range(jobs)))


async def _write(client: LiveClient, planned: PutResult, put: Put) -> PutResult:
    if not await client.is_connected(planned.name):
        return replace(planned, result=Result.NOT_CONNECTED)
    try:
        reason = await client.write(planned.name, put)
    except TimeoutError:
        return replace(planned, result=Result.PENDING, reason=f"within {client.put_timeout:g} s")
    except ConnectionError:
        return replace(planned, result=Result.PENDING, reason="the IOC is gone")
    result = Result.WRITTEN if reason is None else Result.REFUSED
    return replace(planned, result=result, reason=reason or "")


def check(
    result: PutResult, saved: Value, reading: Reading, tolerance: Tolerance | None = None
) -> PutResult:
    """What became of a PV in the end, by what was read back from it."""
    if not result.result.good:
        return result
    if reading.pv is None or reading.value is None:
        return replace(result, result=Result.DIFFERS, reason=f"not read back, {reading.reason}")
    if agree(saved, reading.value, reading.pv, tolerance):
        return result
    return replace(result, result=Result.DIFFERS, after=reading.value)
