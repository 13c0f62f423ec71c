"""List the examples, one line each: ``python -m ioc_ops.examples``."""

import ast
import sys
from importlib import resources


def examples() -> dict[str, str]:
    """Module name and first docstring line of each example, without running any of them."""
    found = {}
    for entry in resources.files(__package__).iterdir():
        stem, dot, suffix = entry.name.rpartition(".")
        if dot and suffix == "py" and not stem.startswith("_"):
            doc = ast.get_docstring(ast.parse(entry.read_text(encoding="utf-8"))) or ""
            found[f"{__package__}.{stem}"] = doc.partition("\n")[0]
    return dict(sorted(found.items()))


def main() -> int:
    """Print the list; exit status 0."""
    listed = examples()
    width = max(map(len, listed))
    print("Run one with `python -m NAME`; add -h to see its options.\n")
    for name, summary in listed.items():
        print(f"  {name:<{width}}  {summary}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
