"""The command line that every IOC has."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

import ioc_ops
from ioc_ops.server import ioc_arg_parser, template_arg_parser


@pytest.fixture(autouse=True)
def root_level() -> Iterator[logging.Logger]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield root
    root.setLevel(level)
    root.handlers[:] = handlers


def parse(*argv: str, **parser: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return ioc_arg_parser(desc="An IOC.", default_prefix="sim:", argv=list(argv), **parser)


def test_without_arguments_everything_is_as_the_ioc_says() -> None:
    ioc_options, run_options = parse()
    assert ioc_options == {"prefix": "sim:", "macros": {}}
    assert run_options == {
        "async_lib": "asyncio",
        "interfaces": ["0.0.0.0"],
        "log_pv_names": False,
        "metrics_port": None,
        "metrics_host": "127.0.0.1",
        "metrics_pvs": [],
        "metrics_sd_dir": None,
        "acf": None,
        "acf_macros": None,
        "acf_check_ip": None,
        "name": "sim",
    }


@pytest.mark.parametrize(
    ("argv", "options"),
    [
        (["--list-pvs"], {"log_pv_names": True}),
        (["--interfaces", "127.0.0.1", "10.0.0.1"], {"interfaces": ["127.0.0.1", "10.0.0.1"]}),
        (["--async-lib", "asyncio"], {"async_lib": "asyncio"}),
        (["--metrics-port", "9100"], {"metrics_port": 9100}),
        (["--metrics-port=0", "--metrics-host", "0.0.0.0"], {"metrics_host": "0.0.0.0"}),
        (
            ["--metrics-port=0", "--metrics-pvs", "a:*", "b", "--metrics-sd", "/sd"],
            {"metrics_pvs": ["a:*", "b"], "metrics_sd_dir": "/sd"},
        ),
        (["--prefix", "XF:31{{Det:1}}"], {"name": "XF:31{{Det:1}}"}),
        (["--prefix", ""], {"name": None}),
    ],
)
def test_every_option(argv: list[str], options: dict[str, Any]) -> None:
    _, run_options = parse(*argv)
    assert run_options.items() >= options.items()


def test_prefix_and_macros() -> None:
    macros = {"beamline": "my", "thing": None, "two-words": "x"}
    ioc_options, _ = parse("--prefix", "T:", "--thing", "th", "--two-words", "y", macros=macros)
    assert ioc_options == {
        "prefix": "T:",
        "macros": {"beamline": "my", "thing": "th", "two-words": "y"},
    }


@pytest.mark.parametrize(
    ("argv", "level"),
    [
        ([], "INFO"),
        (["-q"], "WARNING"),
        (["--quiet"], "WARNING"),
        (["-v"], "DEBUG"),
        (["-vv"], "DEBUG"),
        (["--verbose"], "DEBUG"),
    ],
)
def test_how_much_it_says(argv: list[str], level: str) -> None:
    parse(*argv)
    assert logging.getLevelName(logging.getLogger().level) == level


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (["--nonsense"], "--nonsense"),
        (["stray"], "stray"),
        (["--prefix"], "--prefix"),
        (["-q", "-v"], "-v"),
        (["--async-lib", "twisted"], "twisted"),
        (["--metrics-port", "70000"], "'70000' is no port"),
        (["--metrics-port", "http"], "'http' is no port"),
        (["--interfaces"], "--interfaces"),
        ([], "--thing"),
    ],
)
def test_a_broken_command_line_ends_with_one_line_and_status_2(
    argv: list[str], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    macros = {"thing": None} if not argv else {}
    with pytest.raises(SystemExit) as end:
        parse(*argv, macros=macros)
    said = capsys.readouterr()
    assert end.value.code == 2
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert why in said.err


def test_an_ioc_for_a_library_that_is_not_there_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as end:
        parse(supported_async_libs=["twisted"])
    assert end.value.code == 2
    assert "twisted" in capsys.readouterr().err
    assert parse(supported_async_libs=["trio", "asyncio"])[1]["async_lib"]


def test_help_shows_the_text_of_the_ioc_and_its_macros(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse("--help", macros={"beamline": "my", "thing": None})
    said = capsys.readouterr().out
    assert end.value.code == 0
    for text in ("An IOC.", "--prefix", "--beamline", "--thing", "--list-pvs", "--metrics-port"):
        assert text in said


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        parse("--version")
    assert end.value.code == 0
    assert capsys.readouterr().out == f"ioc_ops {ioc_ops.__version__}\n"


def test_a_template_takes_options_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    parser, split = template_arg_parser(desc="d", default_prefix="p:", macros={"m": "1"})
    parser.add_argument("--target", default="nobody")
    arguments = parser.parse_args(["--target", "you", "--m", "2"])
    ioc_options, run_options = split(arguments)
    assert arguments.target == "you"
    assert ioc_options == {"prefix": "p:", "macros": {"m": "2"}}
    assert run_options["async_lib"] == "asyncio"


def test_the_arguments_of_the_process_are_taken_when_none_are_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.argv", ["ioc", "--prefix", "from:argv:"])
    ioc_options, _ = ioc_arg_parser(desc="d", default_prefix="p:")
    assert ioc_options["prefix"] == "from:argv:"


@pytest.mark.parametrize("argv", [["--metrics-pvs", "a:*"], ["--metrics-sd", "/sd"]])
def test_options_of_metrics_that_nobody_could_see_are_refused(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        parse(*argv)
    assert stopped.value.code == 2
    assert "need --metrics-port" in capsys.readouterr().err
