"""A running Alertmanager does with alerts what the example configuration says."""

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fleet.members import HOST, free_port, wait_until

ROOT = Path(__file__).parents[2]
# Debian's program has this path built in. Where the package is but unpacked it gets a view of the
# file system of its own, in which the file is there; that takes no root.
TEMPLATE = Path("/usr/share/prometheus/alertmanager/default.tmpl")
IN_A_VIEW = (
    "unshare",
    "--map-root-user",
    "--mount",
    "sh",
    "-c",
    'mount -t overlay overlay -o lowerdir="$1":/usr/share /usr/share && shift && exec "$@"',
    "sh",
)
CONFIGURATION = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"


class Alertmanager:
    """What it is asked and told over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2):
                return True
        except OSError:
            return False

    def tell(self, *alerts: tuple[str, str, str]) -> None:
        """Alerts that fire: name, IOC, severity."""
        body = [
            {"labels": {"alertname": name, "ioc": ioc, "severity": severity, "job": "ioc"}}
            for name, ioc, severity in alerts
        ]
        request = urllib.request.Request(
            f"{self.url}/api/v2/alerts",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=20):
            pass

    def states(self) -> dict[tuple[str, str], str]:
        """active or suppressed, by name and IOC."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=20) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return {
            (each["labels"]["alertname"], each["labels"]["ioc"]): each["status"]["state"]
            for each in found
        }


def startable(program: str) -> list[str]:
    """The command that starts Alertmanager; skips the test where there is none."""
    if TEMPLATE.exists():
        return [program]
    view = [*IN_A_VIEW, str(Path(program).parents[1] / "share")]
    if shutil.which("unshare") is None or subprocess.run([*view, "true"], check=False).returncode:
        pytest.skip(f"Debian's Alertmanager does not start without {TEMPLATE}")
    return [*view, program]


@pytest.fixture
def alertmanager(program: Callable[[str], str], tmp_path: Path) -> Iterator[Alertmanager]:
    command = startable(program("prometheus-alertmanager"))
    url = f"http://{HOST}:{free_port()}"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *command,
                f"--config.file={CONFIGURATION}",
                f"--storage.path={tmp_path / 'data'}",
                f"--web.listen-address={url.removeprefix('http://')}",
                "--cluster.listen-address=",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        running = Alertmanager(url)
        wait_until(running.is_ready, (tmp_path / "log").read_text(), 25.0)
        yield running
    finally:
        process.kill()
        process.wait()


def test_an_ioc_that_is_down_has_one_trouble(alertmanager: Alertmanager) -> None:
    alertmanager.tell(
        ("EpicsIocDown", "vacuum", "critical"),
        ("EpicsIocRestarting", "vacuum", "warning"),
        ("EpicsIocRestarting", "mono", "warning"),
        ("EpicsIocAutosaveOverdue", "vacuum", "critical"),
    )
    expected = {
        ("EpicsIocDown", "vacuum"): "active",
        ("EpicsIocRestarting", "vacuum"): "suppressed",
        ("EpicsIocRestarting", "mono"): "active",
        ("EpicsIocAutosaveOverdue", "vacuum"): "active",
    }
    wait_until(lambda: alertmanager.states() == expected, "the inhibition", 25.0)
