"""What the benchmark needs besides ioc_ops: the peers, each in an environment, and a compiler."""

import os
import platform
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".bench"
PEERS = ["caproto", "softioc", "epicscorelibs", "uvloop"]
PCAS = ["pcaspy"]  # in one of its own: it brings its own libca


class MissingError(Exception):
    """The benchmark cannot run here; one line with the remedy."""


def installed(name: str, packages: list[str], variable: str) -> Path:
    """The interpreter of an environment with these packages, made when it is not there yet.

    One that the environment variable names is taken as it is. Wheels only.

    Raises:
        MissingError: it cannot be made.
    """
    given = os.environ.get(variable)
    if given:
        return Path(given)
    environment = FOLDER / name
    python, stamp = environment / "bin" / "python", environment / ".installed"
    if stamp.exists() and stamp.read_text() == " ".join(packages):
        return python
    print(f"bench: installing {', '.join(packages)} into {environment}", file=sys.stderr)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        subprocess.run([*pip, "--only-binary=:all:", *packages], check=True)
    except subprocess.CalledProcessError as error:
        raise MissingError(
            f"cannot install {', '.join(packages)} (see above); name the interpreter of an "
            f"environment that has them in {variable}"
        ) from error
    stamp.write_text(" ".join(packages))
    return python


def check_compiler() -> None:
    """The load generator is written in C.

    Raises:
        MissingError: there is no gcc.
    """
    if shutil.which("gcc") is None:
        raise MissingError("the load generator needs gcc; install it (Debian: gcc and libc6-dev)")


def processor(cpuinfo: str) -> str:
    """The model from the text of /proc/cpuinfo."""
    for line in cpuinfo.splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def machine(peers: Path | None) -> str:
    """Processor, kernel and versions, as one phrase; those of the peers if there are any."""
    model = processor(Path("/proc/cpuinfo").read_text())
    parts = [
        f"{os.cpu_count()} processors ({model})",
        "Linux " + ".".join(platform.release().split(".")[:2]),
    ]
    parts.append(f"Python {platform.python_version()}")
    for package in ("numpy", "uvloop"):
        try:
            parts.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            parts.append(f"without {package}")
    ours = ", ".join(parts)
    if peers is None:
        return ours
    listed = subprocess.run(
        [str(peers), "-c", _VERSIONS, *PEERS], stdout=subprocess.PIPE, text=True, check=False
    )
    return f"{ours}; peers: {listed.stdout.strip()}"


_VERSIONS = """
import sys
from importlib.metadata import version
print(", ".join(f"{name} {version(name)}" for name in sys.argv[1:]))
"""
