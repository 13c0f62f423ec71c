"""The status PVs as data: one row each, facts of iocStats 4.0.1 (iocAdminSoft.db).

Suffixes, types, units, precision, limits and periods are a contract with operator screens and
archivers. Where a row differs from iocStats, its text says so.
"""

from collections.abc import Mapping
from types import MappingProxyType

from ioc_ops.status.family_rows import ENVIRONMENT_ROWS, QUEUE_ROWS, SCAN_ROWS, TIME_ROWS
from ioc_ops.status.general_rows import GENERAL_ROWS
from ioc_ops.status.row import Period, StatusPv

__all__ = ["OF_CAPROTO", "OWN", "SCHEDULED", "TABLE"]

_ROWS = (*GENERAL_ROWS, *QUEUE_ROWS, *TIME_ROWS, *SCAN_ROWS, *ENVIRONMENT_ROWS)

TABLE: Mapping[str, StatusPv] = MappingProxyType({row.suffix: row for row in _ROWS})
"""Every status PV by its suffix."""

SCHEDULED = tuple(period for period in Period if period.value in TABLE)
"""The periods that clients can set."""

OF_CAPROTO = frozenset(("SOURCE_FILE", "NumThreads", "UPD_TIME"))
"""Those that caproto added to what iocStats has."""

OWN = frozenset(("CA_EVENT_RATE", "CA_GET_RATE", "CA_PUT_RATE", "LOOP_LAG_MAX", "LOOP_LAG_P99"))
"""Those that neither has."""
