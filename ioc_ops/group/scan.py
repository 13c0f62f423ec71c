"""What a periodic hook is: a function and its period. The server runs it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, overload

from ioc_ops.channel import AlarmSeverity
from ioc_ops.errors import DefinitionError

__all__ = ["ScanSpec", "scan_wrapper"]


_Hook = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class ScanSpec:
    """A hook to be called every ``period`` seconds, first at once."""

    function: Callable[..., Any]
    period: float
    subtract_elapsed: bool = True
    stop_on_error: bool = False
    failure_severity: AlarmSeverity = AlarmSeverity.MAJOR_ALARM
    use_scan_field: bool = False


@overload
def scan_wrapper(
    seconds: float | None = None,
    /,
    *,
    period: float | None = None,
    subtract_elapsed: bool = True,
    stop_on_error: bool = False,
    failure_severity: AlarmSeverity = AlarmSeverity.MAJOR_ALARM,
    use_scan_field: bool = False,
) -> Callable[[_Hook], ScanSpec]: ...
@overload
def scan_wrapper(
    scan_function: _Hook,
    /,
    period: float | None,
    *,
    subtract_elapsed: bool = True,
    stop_on_error: bool = False,
    failure_severity: AlarmSeverity = AlarmSeverity.MAJOR_ALARM,
    use_scan_field: bool = False,
) -> ScanSpec: ...
def scan_wrapper(
    scan_function: _Hook | float | None = None,
    /,
    period: float | None = None,
    *,
    subtract_elapsed: bool = True,
    stop_on_error: bool = False,
    failure_severity: AlarmSeverity = AlarmSeverity.MAJOR_ALARM,
    use_scan_field: bool = False,
) -> Callable[[_Hook], ScanSpec] | ScanSpec:
    """Decorate ``async def hook(group, instance, async_lib)`` to be called periodically.

    It can be called with the function as well: ``scan=scan_wrapper(hook, 0.5)``.

    Args:
        scan_function: the hook; leave it out in a decorator, ``@scan_wrapper(0.5)``.
        period: seconds; None only together with ``use_scan_field``.
        subtract_elapsed: keep the rhythm, whatever the hook takes itself.
        stop_on_error: end this scan at the first exception.
        failure_severity: of the PV's SCAN alarm after an exception.
        use_scan_field: let the record's SCAN field decide the period.

    Raises:
        DefinitionError: the period is no number, or not above zero.
    """
    function = None
    if callable(scan_function) and (period is not None or use_scan_field):
        function = scan_function
    elif period is None:
        period = _seconds(scan_function)
    seconds = _seconds(period)
    if seconds is None and not use_scan_field:
        raise DefinitionError("a scan needs a period in seconds, or use_scan_field=True")

    def decorate(function: _Hook) -> ScanSpec:
        return ScanSpec(
            function,
            seconds or 0.0,
            subtract_elapsed,
            stop_on_error,
            failure_severity,
            use_scan_field,
        )

    return decorate if function is None else decorate(function)


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
