"""The other files of deploy/, each read by the program that it is for, as far as there is one."""

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import _jsonnet
import kubernetes_validate
import pytest
import yaml
from fleet.members import wait_until

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"

# What the chart ioc-instance 5.6 of epics-containers understands of what we set.
CHART_KEYS = frozenset(
    "image command args preStopExecutable startupExecutable livenessExecutable livenessProbe"
    " readinessProbe env podAnnotations".split()
)


def needs(name: str) -> str:
    """The path of a program; skips the test where it is not installed."""
    path = shutil.which(name)
    if path is None:
        pytest.skip(f"no {name} here")
    return path


# --- systemd --------------------------------------------------------------------------------


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit of an IOC with a Python that is there: systemd looks for what it is to start."""
    text = (DEPLOY / "systemd" / "ioc@.service").read_text()
    assert "/opt/ioc/venv/bin/python" in text
    path = tmp_path / "ioc@vacuum.service"
    path.write_text(text.replace("/opt/ioc/venv/bin/python", str(Path(sys.executable).resolve())))
    return path


def test_systemd_takes_the_unit_without_a_warning(unit: Path) -> None:
    analyze = needs("systemd-analyze")
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if unit.name in line]
    assert (done.returncode, said) == (0, [])


def test_the_unit_is_shut_in(unit: Path) -> None:
    analyze = needs("systemd-analyze")
    done = subprocess.run(
        [analyze, "security", "--offline=yes", "--threshold=20", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    # Exposure of at most 2.0 of 10, where 9.6 is what a service has that says nothing.
    assert done.returncode == 0, done.stdout[-200:]


def test_the_unit_restarts_an_ioc_as_its_exit_status_asks(unit: Path) -> None:
    told = dict(re.findall(r"^(\w+)=(.*)$", unit.read_text(), re.MULTILINE))
    page = (ROOT / "docs" / "reference" / "exit-status.md").read_text()
    pattern = r"^\| (\d+) \|.*\| (.*) \|$"
    rows = {int(number): todo for number, todo in re.findall(pattern, page, re.MULTILINE)}
    assert rows[75] == "start it again"
    assert told["RestartForceExitStatus"] == "75"
    assert "nothing; a human must look" in rows[2]
    assert "nothing; a human must look" in rows[74]
    assert told["RestartPreventExitStatus"] == "2 74"
    assert rows[1] == "start it again"
    assert told["Restart"] == "on-failure"
    assert told["Type"] == "notify"


def test_the_command_of_the_unit_starts_an_ioc_that_reports(unit: Path, start_ioc: Any) -> None:
    """As systemd would run it, in a directory and with a socket of the test's."""
    directory = unit.parent
    text = unit.read_text().replace("%i", "vacuum").replace("/opt/ioc/iocs", str(directory))
    text = text.replace("/run/ioc-targets", str(directory / "targets"))
    given = re.findall(r'^Environment="?(\w+)=(.*?)"?$', text, re.MULTILINE)
    (command,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    (directory / "targets").mkdir()
    shutil.copy(ROOT / "ioc_ops" / "examples" / "simple.py", directory / "vacuum.py")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(20.0)
        manager.bind(str(directory / "notify"))
        env = dict(given) | {"NOTIFY_SOCKET": str(directory / "notify")}
        words = command.replace("$IOC_ARGUMENTS", env["IOC_ARGUMENTS"]).split()
        # The interpreter of these tests: the one that the unit has here knows no packages.
        ioc = start_ioc([sys.executable, *words[1:]], env=env, cwd=directory)
        assert manager.recv(100) == b"READY=1"
    entry = directory / "targets" / "simple.json"
    wait_until(entry.exists, "the entry in the list of targets", 20.0)
    ioc.stop()
    assert list((directory / "targets").iterdir()) == []


# --- Kubernetes -----------------------------------------------------------------------------


def validate(thing: dict[str, Any]) -> None:
    """Raises ValidationError for what the newest Kubernetes would not take."""
    kubernetes_validate.validate(thing, kubernetes_validate.latest_version(), strict=True)


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    """What kustomize makes of the example."""
    kubectl = needs("kubectl")
    done = subprocess.run(
        [kubectl, "kustomize", str(DEPLOY / "kubernetes" / "example")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def test_kubernetes_knows_every_field(objects: list[dict[str, Any]]) -> None:
    assert {each["kind"] for each in objects} == {"StatefulSet", "Service"}
    for each in objects:
        validate(each)


def test_kubernetes_knows_every_field_of_the_base() -> None:
    """Which takes no kubectl."""
    for name in ("statefulset.yaml", "service.yaml"):
        validate(yaml.safe_load((DEPLOY / "kubernetes" / "base" / name).read_text()))


def test_the_validation_can_fail(objects: list[dict[str, Any]]) -> None:
    stateful = next(each for each in objects if each["kind"] == "StatefulSet")
    broken = {**stateful, "spec": {**stateful["spec"], "replicas": "one"}}
    with pytest.raises(kubernetes_validate.ValidationError):
        validate(broken)


def test_an_overlay_names_the_ioc_and_keeps_its_own_metrics(objects: list[dict[str, Any]]) -> None:
    stateful = next(each for each in objects if each["kind"] == "StatefulSet")
    pod = stateful["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert stateful["metadata"]["name"] == "ioc-vacuum"
    assert container["args"][-2:] == ["--prefix", "vacuum:"]
    assert "--metrics-port" in container["args"]
    labels = pod["metadata"]["labels"]
    assert labels["app.kubernetes.io/instance"] == "vacuum"
    assert stateful["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_the_pod_monitor_finds_the_pods(objects: list[dict[str, Any]]) -> None:
    path = DEPLOY / "kubernetes" / "podmonitor" / "podmonitor.yaml"
    spec = yaml.safe_load(path.read_text())["spec"]
    stateful = next(each for each in objects if each["kind"] == "StatefulSet")
    pod = stateful["spec"]["template"]
    assert spec["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    (endpoint,) = spec["podMetricsEndpoints"]
    assert endpoint["port"] in {port["name"] for port in pod["spec"]["containers"][0]["ports"]}
    given = {rule["targetLabel"] for rule in endpoint["relabelings"]}
    assert given == {"job", "ioc"}


def test_values_for_epics_containers_are_those_that_the_chart_has() -> None:
    path = DEPLOY / "kubernetes" / "epics-containers" / "values.yaml"
    values = yaml.safe_load(path.read_text())
    assert set(values) == {"global", "ioc-instance"}
    assert set(values["ioc-instance"]) <= CHART_KEYS


# --- container ------------------------------------------------------------------------------


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Instruction and arguments, of a Containerfile without its comments."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    for line in filter(None, joined.splitlines()):
        name, _, arguments = line.partition(" ")
        yield name, arguments


def test_the_image_runs_the_ioc_as_a_plain_user_without_a_shell() -> None:
    found = dict(instructions((DEPLOY / "container" / "Containerfile").read_text()))
    assert yaml.safe_load(found["ENTRYPOINT"]) == ["python", "/opt/ioc/ioc.py"]
    assert "--metrics-port" in yaml.safe_load(found["CMD"])
    assert found["USER"] == "1000:1000"
    assert found["WORKDIR"] == found["VOLUME"] == "/autosave"


# --- Grafana --------------------------------------------------------------------------------


def test_provisioning_files_are_yaml_that_grafana_knows() -> None:
    directory = DEPLOY / "grafana" / "provisioning"
    (source,) = yaml.safe_load((directory / "datasources" / "prometheus.yaml").read_text())[
        "datasources"
    ]
    scraped = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    assert source["type"] == "prometheus"
    assert source["jsonData"]["timeInterval"] == scraped["global"]["scrape_interval"]
    (provider,) = yaml.safe_load((directory / "dashboards" / "epics-iocs.yaml").read_text())[
        "providers"
    ]
    assert provider["type"] == "file"
    assert provider["allowUiUpdates"] is False


def test_the_mixin_has_all_dashboards_alerts_and_rules() -> None:
    text = _jsonnet.evaluate_snippet(
        "use.jsonnet",
        f"local mixin = import '{DEPLOY / 'mixin.libsonnet'}';"
        "{[name]: mixin[name] for name in std.objectFieldsAll(mixin)}",
    )
    mixin = yaml.safe_load(text)
    assert set(mixin) == {"grafanaDashboards", "prometheusAlerts", "prometheusRules"}
    files = {path.name for path in (DEPLOY / "grafana" / "dashboards").glob("*.json")}
    assert set(mixin["grafanaDashboards"]) == files
    for name in ("Alerts", "Rules"):
        path = DEPLOY / "prometheus" / f"{name.lower()}.yaml"
        assert mixin[f"prometheus{name}"] == yaml.safe_load(path.read_text())
