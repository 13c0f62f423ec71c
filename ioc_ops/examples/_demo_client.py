"""The demo's Channel Access client, a process of its own: libca of EPICS Base, driven by aioca.

``python -m ioc_ops.examples._demo_client '[["get", "x"], ["put", "x", 1]]'`` prints the results
of the steps as a JSON list. As with caget and caput, the connection ends with the process.
"""

import asyncio
import json
import sys

TIMEOUT = 15.0  # seconds for each step; a loaded machine takes its time

Value = int | float | str | list[float]


async def perform(steps: list[list[Value]]) -> list[Value | None]:
    """Read and write one after the other; enums by the string of their state.

    A write is over when the server reports its completion. Raises aioca.CANothing.
    """
    import aioca  # type: ignore[import-untyped]

    async def get(name: str) -> Value:
        info = await aioca.cainfo(name, timeout=TIMEOUT)
        as_text = aioca.DBR_ENUM_STR if info.datatype == aioca.DBR_ENUM else None
        value = await aioca.caget(name, datatype=as_text, timeout=TIMEOUT)
        # aioca's scalars are subclasses of int, float and str; only arrays are not for JSON.
        plain: Value = value.tolist() if hasattr(value, "tolist") else value
        return plain

    results: list[Value | None] = []
    for verb, name, *values in steps:
        if verb == "get":
            results.append(await get(str(name)))
        else:
            await aioca.caput(name, values[0], wait=True, timeout=TIMEOUT)
            results.append(None)
    aioca.purge_channel_caches()
    return results


def main() -> int:
    """Perform the steps of the command line; 1 and a line on stderr if one fails."""
    try:
        results = asyncio.run(perform(json.loads(sys.argv[1])))
    except ImportError:
        print("aioca is missing: pip install 'ioc-ops[demo]'", file=sys.stderr)
        return 1
    except Exception as error:  # aioca.CANothing, for which aioca would have to be imported here
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
