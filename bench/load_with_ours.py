"""`load/ca_load.py` with our server among the peers, and with more scenarios.

Those are updates at steady rates, and a client that never reads arrays of 8 MB.

Takes the same arguments. ``ours`` runs on what the interpreter has, which is uvloop where it is
installed, ``ours_asyncio`` on plain asyncio. Both run on the interpreter that runs this.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "load"))

import ca_load  # noqa: E402

RATES = (20, 200, 1000)  # updates a second
_SECONDS = 2
_SPEED = "m"  # the class of operation counts for a server in Python that is no caproto


def extend() -> None:
    """Put our servers and our scenarios into the tables of the load generator."""
    server = [sys.executable, str(HERE / "server.py"), "--npv", "{npv}", "--scan", "{scan}"]
    ca_load.PEERS["ours"] = (server, _SPEED)
    ca_load.PEERS["ours_asyncio"] = ([*server, "--no-uvloop"], _SPEED)
    for rate in RATES:
        count = dict.fromkeys("cnsmp", _SECONDS * rate)
        arguments = f"mon circuits=10 per=1 rate={rate} warm=20"
        ca_load.SCEN.append(("monitor", f"mon_10_{rate}hz", arguments, count))
    others = f"mon circuits=9 win=1 n=3000000 warm=1 {ca_load.WF1M}"
    slow = "slow=1 slowper=1 slowbuf=4096"
    ca_load.SCEN.append(("slow", "slow_big_base", f"{others} secs=10", None))
    ca_load.SCEN.append(("slow", "slow_big", f"{others} {slow} secs=10", None))


if __name__ == "__main__":
    extend()
    ca_load.main()
