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
        DefinitionError: the period is not above zero.
    """
    if period is None and not use_scan_field:
        raise DefinitionError("a scan needs a period in seconds, or use_scan_field=True")
    if period is not None and not period > 0:
        raise DefinitionError(f"a scan period must be above 0 s, not {period}")

    def decorate(function: Callable[..., Any]) -> ScanSpec:
        return ScanSpec(
            function,
            0.0 if period is None else float(period),
            subtract_elapsed,
            stop_on_error,
            failure_severity,
            use_scan_field,
        )

    return decorate
