"""A source tree that is not installed has no version to tell, and everything else works."""

import importlib.metadata
from typing import NoReturn

import pytest

import ioc_ops
from ioc_ops import __main__ as command
from ioc_ops.status import LocalHost


@pytest.fixture(autouse=True)
def _not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(name: str) -> NoReturn:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", nowhere)


def test_the_version_says_that_it_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert ioc_ops.__version__ == "0+unknown"
    assert LocalHost().release() == "ioc_ops 0+unknown"
    assert command.main([]) == 0
    assert capsys.readouterr().out.startswith("ioc_ops 0+unknown\n")


def test_commands_work_all_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        command.main(["metrics", "-h"])
    assert end.value.code == 0
    assert "http_sd" in capsys.readouterr().out
