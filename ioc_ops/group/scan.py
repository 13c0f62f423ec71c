"""What a periodic hook is: a function and its period. The server runs it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ioc_ops.channel import AlarmSeverity
from ioc_ops.errors import DefinitionError

__all__ = ["ScanSpec", "scan_wrapper"]


@dataclass(frozen=True, slots=True)
class ScanSpec:
    """A hook to be called every ``period`` seconds, first at once."""

    function: Callable[..., Any]
    period: float
    subtract_elapsed: bool = True
    stop_on_error: bool = False
    failure_severity: AlarmSeverity = AlarmSeverity.MAJOR_ALARM
    use_scan_field: bool = False


def scan_wrapper(
    period: float | None = None,
    *,
    subtract_elapsed: bool = True,
    stop_on_error: bool = False,
    failure_severity: AlarmSeverity = AlarmSeverity.MAJOR_ALARM,
    use_scan_field: bool = False,
) -> Callable[[Callable[..., Any]], ScanSpec]:
    """Decorate ``async def hook(group, instance, async_lib)`` to be called periodically.

    Args:
        period: seconds; None only together with ``use_scan_field``.
        subtract_elapsed: keep the rhythm, whatever the hook takes itself.
        stop_on_error: end this scan at the first exception.
        failure_severity: of the PV's SCAN alarm after an exception.
        use_scan_field: let the record's SCAN field decide the period.

    Raises:
        DefinitionError: the period is no number, or not above zero.
    """
    seconds = _seconds(period)
    if seconds is None and not use_scan_field:
        raise DefinitionError("a scan needs a period in seconds, or use_scan_field=True")

    def decorate(function: Callable[..., Any]) -> ScanSpec:
        return ScanSpec(
            function,
            seconds or 0.0,
            subtract_elapsed,
            stop_on_error,
            failure_severity,
            use_scan_field,
        )

    return decorate


def _seconds(period: object) -> float | None:
    """What users give: also a function, where ``@x.scan`` lacks its parentheses."""
    if period is None:
        return None
    try:
        seconds = float(period)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise DefinitionError(
            f"a scan period must be a number of seconds, not {period!r}"
        ) from None
    if not seconds > 0:
        raise DefinitionError(f"a scan period must be above 0 s, not {period}")
    return seconds
