"""The generated reference says what the docstrings say."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "generate_reference.py"


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_reference", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_are_current(tool: ModuleType) -> None:
    written = {path.name: path.read_text(encoding="utf-8") for path in tool.TARGET.glob("*.md")}
    stale = [name for name, text in tool.pages().items() if written.get(name) != text]
    assert not stale, "run: python tools/generate_reference.py"
    assert written.keys() == tool.pages().keys()


def test_every_public_name_is_there(tool: ModuleType) -> None:
    for package in tool.PACKAGES:
        text = tool.pages()[f"{package}.md"]
        for name in importlib.import_module(package).__all__:
            assert f"## {name}\n" in text or f"## class {name}\n" in text, f"{package}.{name}"


def test_a_docstring_becomes_markdown(tool: ModuleType) -> None:
    def documented(number: int) -> int:
        """What it does, with ``code``.

        Args:
            number: what it takes,
                over two lines.

        Returns:
            What it gives.
        """
        return number

    assert tool.signature("documented", documented) == (
        "```text\ndocumented(number: int) -> int\n```"
    )
    assert tool.described(documented) == (
        "What it does, with `code`.\n\n**Args**\n\n- `number`: what it takes,\n  over two lines.\n"
        "\n**Returns**\n\nWhat it gives."
    )
