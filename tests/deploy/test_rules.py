"""Scrape configuration, rules and alerts, read by promtool and amtool."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PROMETHEUS = ROOT / "deploy" / "prometheus"
ALERTMANAGER = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
UNIT_TESTS = sorted(Path(__file__).parent.glob("*.test.yaml"))
RUNBOOK = "docs/how-to/watch-a-fleet.md"

Program = Callable[[str], str]


def rules(name: str) -> Iterator[dict[str, Any]]:
    """The rules of a file."""
    for group in yaml.safe_load((PROMETHEUS / name).read_text())["groups"]:
        yield from group["rules"]


ALERTS = {rule["alert"]: rule for rule in rules("alerts.yaml")}


def run(*command: str | Path) -> str:
    """What a command says; it must succeed."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_prometheus_takes_the_configuration(program: Program) -> None:
    said = run(program("promtool"), "check", "config", PROMETHEUS / "prometheus.yml")
    assert "2 rule files found" in said


def test_prometheus_takes_the_rules_without_a_warning(program: Program) -> None:
    promtool = program("promtool")
    files = [PROMETHEUS / "rules.yaml", PROMETHEUS / "alerts.yaml"]
    run(promtool, "check", "rules", "--lint=all", "--lint-fatal", *files)


def test_alerts_fire_when_they_should_and_only_then(program: Program) -> None:
    run(program("promtool"), "test", "rules", *UNIT_TESTS)


def test_alertmanager_takes_the_example(program: Program) -> None:
    run(program("amtool"), "check-config", ALERTMANAGER)


@pytest.mark.parametrize(
    ("alert", "receiver"),
    [("EpicsIocDown", "on-call"), ("EpicsIocRestarting", "operators")],
)
def test_who_is_told(program: Program, alert: str, receiver: str) -> None:
    labels = [f"alertname={alert}", f"severity={ALERTS[alert]['labels']['severity']}"]
    amtool = program("amtool")
    said = run(amtool, "config", "routes", "test", f"--config.file={ALERTMANAGER}", *labels)
    assert said.split()[-1] == receiver


def test_every_alert_is_tested_both_ways() -> None:
    tested: dict[str, set[bool]] = {}
    for path in UNIT_TESTS:
        for case in yaml.safe_load(path.read_text())["tests"]:
            for check in case.get("alert_rule_test", ()):
                fires = bool(check["exp_alerts"])
                tested.setdefault(check["alertname"], set()).add(fires)
    assert tested == {name: {True, False} for name in ALERTS}


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_what_it_is_and_what_to_do(name: str) -> None:
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in ("critical", "warning")
    assert set(alert["annotations"]) == {"summary", "description", "runbook"}
    page, _, anchor = alert["annotations"]["runbook"].partition("#")
    assert page == RUNBOOK
    headings = re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)
    assert anchor == name.lower()
    assert name in headings


def test_a_recording_rule_is_named_by_level_metric_and_operation() -> None:
    for rule in rules("rules.yaml"):
        assert re.fullmatch(r"ioc:[a-z_]+:(max|rate5m)", rule["record"])
        assert "by (job, ioc)" in rule["expr"]
