"""Names in the body of a group that cannot mean what they say."""

import pytest

from ioc_ops.errors import DefinitionError
from ioc_ops.server import PVGroup, pvproperty


def test_a_hook_named_unlike_its_pv_is_refused() -> None:
    x = pvproperty(value=1)

    async def put(group: PVGroup, instance: object, value: int) -> None: ...

    with pytest.raises(DefinitionError, match="G: x and write_x are one PV"):
        type("G", (PVGroup,), {"x": x, "write_x": x.putter(put)})


@pytest.mark.parametrize("name", ["name", "prefix", "pvdb"])
def test_a_pv_cannot_be_called_like_an_attribute_of_its_group(name: str) -> None:
    with pytest.raises(DefinitionError, match=f"G.{name}: a PVGroup has an attribute {name}"):
        type("G", (PVGroup,), {name: pvproperty(value=1)})
