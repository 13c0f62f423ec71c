"""Write docs/reference/generated from the docstrings of the public names.

    python tools/generate_reference.py

One page a package. Members that a class has from a public base are shown there, not again.
"""

import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Protocol

PACKAGES = ("ioc_ops.server", "ioc_ops.autosave", "ioc_ops.status", "ioc_ops.metrics")
TARGET = Path(__file__).parents[1] / "docs" / "reference" / "generated"
NOTE = "<!-- Written by tools/generate_reference.py from the docstrings: do not edit. -->"
SECTIONS = ("Args:", "Returns:", "Raises:", "Yields:")


def pages() -> dict[str, str]:
    """The text of each page by file name."""
    packages = [importlib.import_module(name) for name in PACKAGES]
    classes = {
        each for package in packages for each in public(package).values() if inspect.isclass(each)
    }
    return {f"{package.__name__}.md": page(package, classes) for package in packages}


def public(package: ModuleType) -> dict[str, object]:
    """What a package exports, in alphabetical order."""
    names: list[str] = sorted(package.__all__, key=str.lower)
    return {name: getattr(package, name) for name in names}


def page(package: ModuleType, exported: set[type]) -> str:
    """All public names of a package; the members of `exported` classes are shown with those."""
    parts = [f"# {package.__name__}", NOTE, described(package)]
    for name, thing in public(package).items():
        parts += entry(name, thing, exported)
    return "\n\n".join(part for part in parts if part) + "\n"


def entry(name: str, thing: object, exported: set[type]) -> Iterator[str]:
    """A name with its docstring, and the members of a class."""
    if inspect.isclass(thing):
        yield f"## class {name}"
        bases = [base.__name__ for base in thing.__bases__ if base is not object]
        if shown := [f"`{base}`" for base in bases if not base.startswith("_")]:
            yield "Bases: " + ", ".join(shown)
        yield described(thing)
        if hasattr(thing, "_fields"):
            yield signature(name, thing)
        elif Protocol not in thing.__bases__:
            for owner in described_here(thing, exported):
                if "__init__" in vars(owner):
                    yield signature(name, vars(owner)["__init__"])
                    yield described(vars(owner)["__init__"])
                    break
        for member, value in members(thing, exported):
            yield from method(member, value)
    elif callable(thing):
        yield f"## {name}"
        yield signature(name, thing)
        yield described(thing)
    else:
        yield f"## {name}"
        value = f" = `{thing!r}`" if isinstance(thing, (int, str)) else ""
        yield f"A `{type(thing).__name__}`{value}."


def described_here(cls: type, exported: set[type]) -> list[type]:
    """A class and those of its bases that no public base describes already."""
    elsewhere = {each for base in cls.__mro__[1:] if base in exported for each in base.__mro__}
    return [
        each
        for each in cls.__mro__
        if each not in elsewhere and each.__module__.startswith("ioc_ops")
    ]


def members(cls: type, exported: set[type]) -> Iterator[tuple[str, object]]:
    """Public members of a class."""
    seen = set()
    for owner in described_here(cls, exported):
        for name, value in vars(owner).items():
            if not name.startswith("_") and name not in seen:
                seen.add(name)
                yield name, value


def method(name: str, value: object) -> Iterator[str]:
    """A method or property; anything else has no docstring of its own."""
    if isinstance(value, property):
        if value.__doc__:
            yield f"### {name}"
            yield described(value)
        return
    function = getattr(value, "__func__", value)
    if inspect.isfunction(function) and function.__doc__:
        yield f"### {name}()"
        yield signature(name, function)
        yield described(function)


def signature(name: str, function: object) -> str:
    """How it is called, without the modules that types come from."""
    found = inspect.signature(function)  # type: ignore[arg-type]
    arguments = [each for each in found.parameters.values() if each.name not in ("self", "cls")]
    before = "async " if inspect.iscoroutinefunction(function) else ""
    text = f"{before}{name}{found.replace(parameters=arguments)}"
    text = re.sub(r"<(?:built-in )?function (\w+)(?: at 0x[0-9a-f]+)?>", r"\1", text)
    text = re.sub(r"<(\w+\.\w+): [^>]+>", r"\1", text)
    text = text.replace("<factory>", "...").replace("~", "")
    text = re.sub(
        r"numpy\.ndarray\[tuple\[\S+ \.\.\.\], numpy\.dtype\[([\w.]+)\]\]", r"NDArray[\1]", text
    )
    text = re.sub(r"\b(?:[a-z_]\w*\.)+(?=[A-Za-z_])", "", text)
    return f"```text\n{text}\n```"


def described(thing: object) -> str:
    """A docstring as Markdown: sections become lists."""
    text = inspect.cleandoc(vars(thing).get("__doc__") or "") if hasattr(thing, "__dict__") else ""
    if isinstance(thing, property) or not text:
        text = inspect.cleandoc(getattr(thing, "__doc__", None) or "")
    lines = []
    section = False
    for line in text.replace("``", "`").splitlines():
        if line in SECTIONS:
            section = True
            lines += [f"**{line.removesuffix(':')}**", ""]
        elif section and re.match(r"    [*\w]+: ", line):
            name, _, rest = line.strip().partition(": ")
            lines.append(f"- `{name}`: {rest}")
        elif section and line.startswith("    "):
            lines.append(f"  {line.strip()}" if lines[-1] else line.strip())
        else:
            lines.append(line)
    return "\n".join(lines)


def main() -> None:
    """Write the pages; those of packages that are gone go."""
    TARGET.mkdir(parents=True, exist_ok=True)
    found = pages()
    for stale in set(TARGET.glob("*.md")) - {TARGET / name for name in found}:
        stale.unlink()
    for name, text in found.items():
        (TARGET / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
