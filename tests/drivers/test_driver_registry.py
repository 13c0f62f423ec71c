"""A library that is not there, or cannot be, is one clear line."""

import os
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

from ioc_ops.errors import ConfigurationError
from ioc_ops.server.drivers import DRIVERS, load_driver

SCRIPT = str(Path(__file__).parent / "driver_ioc.py")


class Broken:
    """Finder that raises instead of importing a module."""

    def __init__(self, name: str, problem: Exception) -> None:
        self.name = name
        self.problem = problem

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name == self.name:
            raise self.problem
        return None


def without(monkeypatch: pytest.MonkeyPatch, name: str, problem: Exception) -> None:
    """As if importing this library raised."""
    for module in list(sys.modules):
        if module.partition(".")[0] == name or module == DRIVERS[name]:
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [Broken(name, problem), *sys.meta_path])


def complaint(name: str, python: tuple[int, int]) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_driver(name, python)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_the_three_and_their_order() -> None:
    """As --help shows them."""
    assert list(DRIVERS) == ["asyncio", "curio", "trio"]


def test_unknown_library() -> None:
    assert "choose one of asyncio, curio, trio" in complaint("twisted", (3, 11))


@pytest.mark.parametrize("name", ["curio", "trio"])
def test_missing_library(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    without(monkeypatch, name, ModuleNotFoundError(f"No module named '{name}'", name=name))
    assert complaint(name, (3, 11)) == (
        f"--async-lib {name}: {name} is not installed: pip install 'ioc-ops[{name}]'"
    )


@pytest.mark.parametrize(
    "problem",
    [
        AttributeError("module 'multiprocessing.connection' has no attribute 'CHALLENGE'"),
        ModuleNotFoundError("No module named 'curio'", name="curio"),
    ],
    ids=["as 1.6 fails", "not installed"],
)
def test_curio_on_a_python_that_it_does_not_support(
    monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    """pip install would not help: the extra installs nothing there."""
    without(monkeypatch, "curio", problem)
    text = complaint("curio", (3, 13))
    assert "curio 1.6 does not support Python 3.13" in text
    assert "pip" not in text


def test_library_that_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "trio", ImportError("no module sniffio\nand more"))
    assert complaint("trio", (3, 11)) == (
        "--async-lib trio: trio cannot be imported: ImportError: no module sniffio"
    )


@pytest.mark.parametrize("name", ["curio", "trio"])
def test_missing_library_on_the_command_line(start_ioc: Any, tmp_path: Path, name: str) -> None:
    """One line, exit status 2, nothing served."""
    (tmp_path / f"{name}.py").write_text(f"raise ModuleNotFoundError('No module', name='{name}')")
    process = start_ioc(
        [sys.executable, SCRIPT, "--async-lib", name],
        env={"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        ready=False,
        expect_exit=2,
    )
    assert process.wait(20) == 2
    (line,) = process.lines
    said = line.removeprefix(f"driver_ioc.py: error: --async-lib {name}: {name} ")
    if name == "curio" and sys.version_info >= (3, 12):
        assert said.startswith("1.6 does not support Python 3.")
    else:
        assert said == f"is not installed: pip install 'ioc-ops[{name}]'"


def test_help_offers_all_three(start_ioc: Any) -> None:
    process = start_ioc([sys.executable, SCRIPT, "--help"], ready=False)
    assert process.wait(20) == 0
    assert any("--async-lib {asyncio,curio,trio}" in line for line in process.out)
