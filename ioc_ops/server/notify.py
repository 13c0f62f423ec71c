"""What systemd is told (sd_notify(3)): a datagram to NOTIFY_SOCKET, when there is one."""

import logging
import socket
from collections.abc import Mapping

__all__ = ["Notifier"]

log = logging.getLogger("ioc_ops.notify")


class Notifier:
    """Speaks to a service manager, or to nobody."""

    def __init__(self, environment: Mapping[str, str], pid: int) -> None:
        """Read NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID."""
        address = environment.get("NOTIFY_SOCKET", "")
        # An abstract socket is written with @ and addressed with a zero byte.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        period = environment.get("WATCHDOG_USEC", "")
        addressed = environment.get("WATCHDOG_PID", "") in ("", str(pid))
        asked = bool(self._address) and addressed and period.isdecimal() and int(period) > 0
        self.watchdog_period = int(period) / 2e6 if asked else None
        """Seconds between signs of life, half of what the manager allows; None for none."""

    def tell(self, message: str) -> None:
        """Send one assignment, as READY=1; a manager that does not listen is not our fault."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                sender.setblocking(False)
                sender.sendto(message.encode(), self._address)
        except OSError as problem:
            log.warning("NOTIFY_SOCKET does not take %s: %s", message, problem)
