"""A client of others as a process of its own: names as arguments, what they say as JSON."""

import json
import sys
from typing import Any

from caproto import ChannelType
from caproto.threading.client import Context

_LIMITS = [
    f"{side}_{kind}_limit" for side in ("upper", "lower") for kind in ("disp", "warning", "alarm")
] + ["upper_ctrl_limit", "lower_ctrl_limit"]


def describe(pv: Any) -> dict[str, Any]:
    """Native type and count, value, severity and metadata of a PV."""
    answer = pv.read(data_type="control", timeout=20)
    said: dict[str, Any] = {"dbr": pv.channel.native_data_type.name}
    said["count"] = pv.channel.native_data_count
    said["severity"] = int(answer.metadata.severity)
    data = answer.data
    if pv.channel.native_data_type in (ChannelType.STRING, ChannelType.CHAR):
        said["value"] = b"".join(
            bytes(part) if isinstance(part, bytes) else bytes([part]) for part in data
        ).decode()
    else:
        said["value"] = float(data[0])
    metadata = answer.metadata
    if hasattr(metadata, "enum_strings"):
        said["enums"] = [state.decode() for state in metadata.enum_strings]
    if hasattr(metadata, "units"):
        said["units"] = metadata.units.decode()
        limits = {name: getattr(metadata, name) for name in _LIMITS}
        said |= {k: float(v[0] if isinstance(v, bytes) else v) for k, v in limits.items()}
    if hasattr(metadata, "precision"):
        said["precision"] = metadata.precision
    return said


def main() -> None:
    """Print a JSON object: what each name says, null for one that does not connect."""
    context = Context()
    pvs = context.get_pvs(*sys.argv[1:])
    found: dict[str, Any] = {}
    for pv in pvs:
        try:
            pv.wait_for_connection(timeout=20)
            found[pv.name] = describe(pv)
        except TimeoutError:
            found[pv.name] = None
    print(json.dumps(found))
    context.disconnect()


if __name__ == "__main__":
    main()
