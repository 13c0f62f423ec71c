"""Reads PVs of ``ioc_numbers`` and its metrics, with its channels open all the time.

Arguments: the URL of the metrics, then names of PVs. Prints a JSON object: ``before`` and ``after``
the scrape what each PV said, and the ``text`` of the scrape.
"""

import json
import sys
import time
import urllib.request
from typing import Any

from caproto.threading.client import Context


def value_of(pv: Any) -> Any:
    """A number or text."""
    data = pv.read(timeout=5).data
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
        pv.wait_for_connection(timeout=10)
    by_name["n:Mem:EnableTracing"].write(1, wait=True, timeout=5)
    for period in ("CA", "FD", "LOAD", "MEM"):
        by_name[f"n:Ioc:{period}_UPD_TIME"].write(1.0, wait=True, timeout=5)
    by_name["n:block"].write(0.4, wait=True, timeout=5)
    by_name["n:kept"].write(2.0, wait=True, timeout=5)
    by_name["n:Save:SAVE"].write(1, wait=True, timeout=5)
    time.sleep(2.5)  # until each status PV has been updated since
    before = {pv.name: value_of(pv) for pv in pvs}
    with urllib.request.urlopen(url, timeout=5) as answer:
        text = answer.read().decode()
    time.sleep(1.2)
    after = {pv.name: value_of(pv) for pv in pvs}
    print(json.dumps({"before": before, "after": after, "text": text}))
    context.disconnect()


if __name__ == "__main__":
    main()
