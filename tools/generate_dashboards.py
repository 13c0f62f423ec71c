"""Write the Grafana dashboards of tools/dashboards as JSON.

    python tools/generate_dashboards.py [DIRECTORY]     default deploy/grafana/dashboards

Grafana imports the files as they are; no edit in one of them outlives the next run of this.
"""

import json
import sys
from pathlib import Path

from dashboards import DASHBOARDS
from grafana_foundation_sdk.cog.encoder import JSONEncoder

TARGET = Path(__file__).parents[1] / "deploy" / "grafana" / "dashboards"


def write(directory: Path) -> None:
    """One file a dashboard."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, build in DASHBOARDS.items():
        text = json.dumps(build(), cls=JSONEncoder, sort_keys=True, indent=2)
        (directory / name).write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
