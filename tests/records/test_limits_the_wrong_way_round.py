"""A client may set the limits of a record as it likes, one after the other."""

from typing import Any

import numpy as np
import pytest

from ioc_ops.server import PVGroup, pvproperty


@pytest.mark.parametrize(("low", "high"), [(0.0, -5.0), (np.inf, -np.inf)])
def test_they_are_shown_as_they_are(low: float, high: float) -> None:
    group: Any = type("Group", (PVGroup,), {"x": pvproperty(value=1.0, record="ao")})("T:")
    x = group.x
    before = x.fields["HIHI"]
    for name, limit in {"DRVL": low, "DRVH": high, "LOPR": low, "HOPR": high}.items():
        x.fields[name].assign(limit)
    for field in (before, x.fields["LOLO"]):  # made before, and after
        limits = field.metadata.limits
        assert (limits.lower_ctrl, limits.upper_ctrl) == (low, high)
        field.assign(3.0)
        assert field.value == 3.0
