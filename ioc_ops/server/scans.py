"""How punctual the scan hooks are, by period."""

__all__ = ["ScanStats"]


class ScanStats:
    """The scan hooks of one period. The loop notes, any thread reads.

    Hooks that rest for their period after each call (``subtract_elapsed=False``) keep no rhythm
    and are not noted.
    """

    __slots__ = ("_longest", "calls", "overruns")

    def __init__(self) -> None:
        self.calls = 0
        """Intervals between two calls of one hook."""
        self.overruns = 0
        """Those that were twice the period or longer: at least one call was left out."""
        self._longest = 0.0

    def note(self, interval: float, period: float) -> None:
        """Note the seconds between two calls of a hook of this period."""
        self.calls += 1
        self.overruns += interval >= 2 * period
        self._longest = max(self._longest, interval)

    def take(self) -> float:
        """The longest interval in seconds since this was asked last, of any hook; 0 for none."""
        longest, self._longest = self._longest, 0.0
        return longest
