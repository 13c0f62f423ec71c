"""Run a small fleet under a Prometheus, to look at dashboards and alerts by hand.

    python tools/run_fleet.py [DIRECTORY]

A minute after the start one IOC is stuck, one has lost its disk, one is killed. Ends with
Ctrl+C. Needs tools/install_prometheus.sh.
"""

import sys
import tempfile
import time
from pathlib import Path

from fleet.members import Fleet
from fleet.prometheus import Prometheus

HEALTHY_FOR = 60.0


def run(directory: Path) -> None:
    """Until Ctrl+C."""
    names = ("vacuum", "mono", "mirror", "cryo", "detector", "shutter")
    with (
        Fleet(directory, names) as fleet,
        Prometheus(directory / "prometheus", fleet.targets, fleet.targets_url) as prometheus,
    ):
        fleet.serve_targets()
        fleet["cryo"].spoil_values()
        fleet.start()
        fleet.use()
        print(f"Prometheus: {prometheus.url}", flush=True)
        time.sleep(HEALTHY_FOR)
        fleet["mono"].stick()
        fleet["cryo"].lose_disk()
        fleet["shutter"].kill()
        fleet["detector"].fail()
        print("mono is stuck, cryo has no disk, shutter is dead, detector fails", flush=True)
        while True:
            time.sleep(1)


if __name__ == "__main__":
    try:
        if len(sys.argv) > 1:
            run(Path(sys.argv[1]))
        else:
            with tempfile.TemporaryDirectory(prefix="fleet-") as temporary:
                run(Path(temporary))
    except KeyboardInterrupt:
        pass
