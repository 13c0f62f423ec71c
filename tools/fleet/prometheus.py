"""A Prometheus of one's own with the configuration of deploy/, only quicker."""

import json
import re
import shutil
import subprocess
import urllib.parse
import urllib.request
from math import nan
from pathlib import Path
from typing import Any

import yaml

from fleet.members import HOST, free_port, wait_until

__all__ = ["Prometheus", "find_program"]

ROOT = Path(__file__).parents[2]
CONFIGURATION = ROOT / "deploy" / "prometheus"
UNPACKED = ROOT / ".ci" / "prometheus" / "usr" / "bin"
START_TIMEOUT = 20.0


def find_program(name: str) -> str | None:
    """Of the project's own installation (tools/install_prometheus.sh), else of the system."""
    return shutil.which(name, path=str(UNPACKED)) or shutil.which(name)


def hurried(rules: str) -> str:
    """Rules that look back seconds, and fire after two, where the real ones take minutes."""
    rules = rules.replace("[5m]", "[15s]")
    rules = re.sub(r"^( *for:) .*", r"\1 2s", rules, flags=re.MULTILINE)
    rules = re.sub(r"(heartbeat_age_seconds (?:>|< bool)) \d+", r"\1 2", rules)
    return re.sub(r"> clamp_min\(epics_ioc_autosave_overdue_seconds, \d+\)", "> 3", rules)


class Prometheus:
    """Scrapes the targets in a directory and at an address; ends with its `with` block."""

    def __init__(
        self, directory: Path, targets: Path, targets_url: str, interval: str = "1s"
    ) -> None:
        self.url = f"http://{HOST}:{free_port()}"
        directory.mkdir(parents=True)
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        configuration = yaml.safe_load((CONFIGURATION / "prometheus.yml").read_text())
        configuration["global"] = {
            "scrape_interval": interval,
            "scrape_timeout": interval,
            "evaluation_interval": "500ms",
        }
        configuration["alerting"] = {}
        for job in configuration["scrape_configs"]:
            job["file_sd_configs"] = [{"files": [f"{targets}/*.json"]}]
            job["http_sd_configs"] = [{"url": targets_url, "refresh_interval": "1s"}]
        (directory / "prometheus.yml").write_text(yaml.safe_dump(configuration))
        for name in configuration["rule_files"]:
            (directory / name).write_text(hurried((CONFIGURATION / name).read_text()))

    def __enter__(self) -> "Prometheus":
        program = find_program("prometheus")
        if program is None:
            raise FileNotFoundError("there is no prometheus: run tools/install_prometheus.sh")
        with (self._directory / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    program,
                    f"--config.file={self._directory / 'prometheus.yml'}",
                    f"--storage.tsdb.path={self._directory / 'data'}",
                    f"--web.listen-address={self.url.removeprefix('http://')}",
                    "--enable-feature=exemplar-storage",
                    "--log.level=warn",
                ],
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            wait_until(self._is_ready, "the start of Prometheus", START_TIMEOUT)
        except TimeoutError as error:
            self.__exit__()
            raise TimeoutError(f"{error}: {(self._directory / 'log').read_text()}") from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def own_metric(self, name: str) -> float:
        """A number that Prometheus tells about itself, by name with labels; NaN if it does not."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return next((float(line.split()[-1]) for line in lines if line.startswith(name)), nan)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def ask(self, path: str, **parameters: object) -> Any:
        """The data of an answer of its HTTP API; raises OSError where the question is wrong."""
        query = urllib.parse.urlencode(parameters, doseq=True)
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=10) as answer:
            return json.load(answer)["data"]

    def value(self, expr: str) -> list[Any]:
        """The series that an instant query answers with."""
        result: list[Any] = self.ask("query", query=expr)["result"]
        return result

    def alerts(self) -> set[tuple[str, str]]:
        """Names of alerts that fire, each with the IOC."""
        return {
            (alert["labels"]["alertname"], alert["labels"].get("ioc", ""))
            for alert in self.ask("alerts")["alerts"]
            if alert["state"] == "firing"
        }
