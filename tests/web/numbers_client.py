"""Reads PVs of ``ioc_numbers`` and its metrics, with its channels open all the time.

Arguments: the URL of the metrics, then names of PVs. Prints a line with a JSON object again and
again, until its input ends: ``before`` and ``after`` the scrape what each PV said, and the ``text``
of the scrape.
"""

import json
import select
import sys
import urllib.request
from typing import Any

from caproto.threading.client import Context


def value_of(pv: Any) -> Any:
    """A number or text."""
    data = pv.read(timeout=20).data
    if isinstance(data[0], bytes):
        return b"".join(data).decode()
    return float(data[0])


def main() -> None:
    """Print what was read."""
    url, *names = sys.argv[1:]
    context = Context()
    pvs = context.get_pvs(*names)
    by_name = {pv.name: pv for pv in pvs}
    for pv in pvs:
        pv.wait_for_connection(timeout=20)
    by_name["n:Mem:EnableTracing"].write(1, wait=True, timeout=20)
    for period in ("CA", "FD", "LOAD", "MEM"):
        by_name[f"n:Ioc:{period}_UPD_TIME"].write(1.0, wait=True, timeout=20)
    by_name["n:block"].write(0.4, wait=True, timeout=20)
    by_name["n:kept"].write(2.0, wait=True, timeout=20)
    by_name["n:Save:SAVE"].write(1, wait=True, timeout=20)
    while not select.select([sys.stdin], [], [], 0.3)[0]:
        before = {pv.name: value_of(pv) for pv in pvs}
        with urllib.request.urlopen(url, timeout=20) as answer:
            text = answer.read().decode()
        after = {pv.name: value_of(pv) for pv in pvs}
        print(json.dumps({"before": before, "after": after, "text": text}), flush=True)
    context.disconnect()


if __name__ == "__main__":
    main()
