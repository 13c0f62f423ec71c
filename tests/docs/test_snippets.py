"""Every command and every Python snippet of README and docs is run.

A fenced block says by its info string what it is:

    ```python               run by itself; an `assert` in it must hold
    ```python file=NAME     written to NAME, for the commands and snippets after it
    ```console              each line that begins with `$ ` is run, in the order of the page; it
                            must succeed, and the lines below it must be found in what it prints,
                            in order; `...` stands for anything, white space does not count
    ```console exit=N       the same for commands that must fail with status N
    ... illustration        not run; Python must at least parse

A reading (caget, curl) that does not show what the page shows is taken again for a while: how fast
an IOC is no page promises.

`COMMAND &` starts an IOC and waits until it serves; `kill %1` and `kill -9 %1` end it. All other
blocks (text, yaml ...) are not run.
"""

import ast
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
SHIMS = Path(__file__).parent / "bin"
READINGS = ("caget", "curl")
PATIENCE = 20.0  # seconds for a reading to show what the page shows
TIMEOUT = 60.0  # seconds for a command
METRICS_PORT = "9110"  # what the pages say; the tests take one that is free


@dataclass
class Block:
    """A fenced block and the line on which it begins."""

    line: int
    language: str
    options: list[str]
    text: str

    @property
    def illustration(self) -> bool:
        return "illustration" in self.options

    def option(self, name: str) -> str | None:
        """The value of `name=value` in the info string."""
        return next((o.partition("=")[2] for o in self.options if o.startswith(f"{name}=")), None)


@dataclass
class Command:
    """A command of a console block with the output that the page shows."""

    line: int
    text: str
    status: int = 0
    output: list[str] = field(default_factory=list)


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page."""
    found = []
    for match in re.finditer(r"^```(.+)\n((?:.*\n)*?)```$", page, re.MULTILINE):
        language, *options = match[1].split()
        found.append(Block(page[: match.start()].count("\n") + 1, language, options, match[2]))
    return found


def commands(block: Block) -> Iterator[Command]:
    """The commands of a console block."""
    command = None
    for number, line in enumerate(block.text.splitlines(), block.line + 1):
        if line.startswith("$ "):
            if command is not None:
                yield command
            command = Command(number, line[2:], int(block.option("exit") or 0))
        elif command is not None and line.strip():
            command.output.append(line)
    if command is not None:
        yield command


def pattern(expected: str) -> str:
    """A regular expression for a line of output."""
    words = [r"\s+".join(map(re.escape, part.split())) for part in expected.split("...")]
    return r".*".join(words)


def missing(output: str, expected: list[str]) -> str | None:
    """The first line of `expected` that does not come in `output` in its turn."""
    rest = iter(output.splitlines())
    return next(
        (want for want in expected if not any(re.search(pattern(want), have) for have in rest)),
        None,
    )


def test_blocks_and_commands_are_found() -> None:
    page = "x\n```console exit=2\n$ a b\nout ...\n\n$ c\n```\n```python file=f.py\npass\n```\n"
    console, python = blocks(page)
    assert (python.line, python.language, python.option("file")) == (8, "python", "f.py")
    assert list(commands(console)) == [Command(3, "a b", 2, ["out ..."]), Command(6, "c", 2)]


def test_missing_output_is_found() -> None:
    output = "one   two\nthree\nfour"
    assert missing(output, ["one two", "fo..."]) is None
    assert missing(output, ["three", "one two"]) == "one two"
    assert missing(output, ["five"]) == "five"


class Session:
    """The reader's terminal."""

    def __init__(self, directory: Path, metrics_port: int, start_ioc: Any) -> None:
        self.directory = directory
        self.metrics_port = str(metrics_port)
        self.start_ioc = start_ioc
        self.job: Any = None
        path = (str(SHIMS), str(Path(sys.executable).parent), os.environ["PATH"])
        self.env = os.environ | {"PATH": os.pathsep.join(path)}

    def run(self, command: Command) -> None:
        text = command.text.replace(METRICS_PORT, self.metrics_port)
        if text.endswith(" &"):
            self.start(text.removesuffix(" &"), command.output)
        elif match := re.fullmatch(r"kill (-9 )?%1", text):
            assert self.job is not None, "no job to kill"
            self.job.kill() if match[1] else self.job.stop(signal.SIGTERM)
            self.job = None
        else:
            self.finish(text, command)

    def start(self, text: str, expected: list[str]) -> None:
        """An IOC in the background."""
        assert self.job is None, "one job at a time"
        program, *arguments = shlex.split(text)
        assert program == "python"
        self.job = self.start_ioc([sys.executable, *arguments], self.env, self.directory)
        for want in expected:
            self.job.wait_for(want.strip(". "))
        assert missing("\n".join(self.job.lines), expected) is None

    def finish(self, text: str, command: Command) -> None:
        """A command that ends by itself."""
        directory = self.directory
        if text.startswith("make "):
            # Its recipes are this test run itself, or minutes of work that .ci/run does.
            text, directory = text.replace("make ", "make --dry-run ", 1), ROOT
        shown = [line.replace(METRICS_PORT, self.metrics_port) for line in command.output]
        deadline = time.monotonic() + PATIENCE
        while True:
            done = subprocess.run(
                ["bash", "-c", text],
                cwd=directory,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
            want = missing(done.stdout, shown)
            if done.returncode == command.status and want is None:
                return
            if not text.startswith(READINGS) or time.monotonic() > deadline:
                break
        assert done.returncode == command.status, done.stdout
        raise AssertionError(f"{want!r} is not in:\n{done.stdout}")

    def python(self, block: Block) -> None:
        """A snippet: to be kept, or to be run."""
        if name := block.option("file"):
            (self.directory / name).write_text(block.text, encoding="utf-8")
            return
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", block.text],
            cwd=self.directory,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.timeout(240)  # a page may have two dozen commands
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page: Path, tmp_path: Path, free_port: Callable[[], int], start_ioc: Any) -> None:
    session = Session(tmp_path, free_port(), start_ioc)
    for block in blocks(page.read_text(encoding="utf-8")):
        try:
            if block.language == "python":
                ast.parse(block.text)
                if not block.illustration:
                    session.python(block)
            elif block.language == "console" and not block.illustration:
                for command in commands(block):
                    session.run(command)
        except (AssertionError, SyntaxError, subprocess.TimeoutExpired, TimeoutError) as problem:
            pytest.fail(f"{page.name}, block of line {block.line}: {problem}", pytrace=False)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links(page: Path) -> None:
    """Relative links lead somewhere."""
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert [target for target in targets if not (page.parent / target).exists()] == []
