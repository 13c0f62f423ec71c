"""The examples serve the PVs that their documentation shows, and those of caproto's examples."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ioc_ops.examples.__main__ import examples

SCRIPT = Path(__file__).parent / "list_pvs.py"
FORMULA = "--formula 'c = sqrt(a**2 + b**2)'"

DOCUMENTED = {
    "simple": ["simple:A", "simple:B", "simple:C"],
    "simple --prefix my_custom_prefix:": [
        "my_custom_prefix:A",
        "my_custom_prefix:B",
        "my_custom_prefix:C",
    ],
    "custom_write": ["custom_write:A", "custom_write:B"],
    "random_walk": ["random_walk:dt", "random_walk:x"],
    "io_interrupt": ["io:keypress"],
    "macros --beamline XF31ID --thing detector": [
        "macros:XF31ID:detector.VAL",
        "macros:XF31ID:detector.RBV",
    ],
    "subgroups": [
        "subgroups:random",
        "subgroups:RECORD_LIKE1.RTYP",
        "subgroups:RECORD_LIKE1.VAL",
        "subgroups:RECORD_LIKE1.DESC",
        "subgroups:recordlike2.RTYP",
        "subgroups:recordlike2.VAL",
        "subgroups:recordlike2.DESC",
        "subgroups:group1:random",
        "subgroups:group2-random",
        "subgroups:group3_prefix:random",
        "subgroups:group4:subgroup4:random",
    ],
    "records": ["mock:A", "mock:B", "mock:C", "mock:D", "mock:E"],
    "rpc_function": [
        "rpc:fixed_random",
        "rpc:get_random:low",
        "rpc:get_random:high",
        "rpc:get_random:Status",
        "rpc:get_random:Retval",
        "rpc:get_random:Process",
    ],
    "inline_style": ["inline_style:random_int", "inline_style:random_str", "inline_style:A"],
}

# Our example and its namesake among those of caproto, with the options that each needs.
NAMESAKES = {
    "big_image_noisy_neighbor": "big_image_noisy_neighbor",
    "chirp": "chirp",
    "client_monitor": "client_monitor_async",
    "custom_write": "custom_write",
    "decay": "decay",
    "dynamic_pvs": "too_clever.dynamic_calc",
    "enums": "enums",
    "fake_motor_record": "fake_motor_record",
    f"formula {FORMULA}": f"formula_ioc {FORMULA}",
    "io_interrupt": "io_interrupt",
    "macros": "macros",
    "mini_beamline": "mini_beamline",
    "mirror": "mirror --target simple:A",
    "no_pvproperty": "no_pvproperty",
    "random_walk": "random_walk",
    "records": "records",
    "records_subclass": "records_subclass",
    "rpc_function": "rpc_function",
    "scalars_and_arrays": "scalars_and_arrays",
    "scan_rate": "scan_rate",
    "setpoint_rbv_pair": "setpoint_rbv_pair",
    "simple": "simple",
    "simple_with_type_hints": "simple_with_type_hints",
    "skip_write": "skip_write",
    "startup_and_shutdown_hooks": "startup_and_shutdown_hooks",
    "states": "states",
    "subgroups": "subgroups",
    "thermo_sim": "thermo_sim",
    "worker_thread": "worker_thread",
    "worker_thread_pc": "worker_thread_pc",
    "autosave": "autosave",
}

# Namesakes whose lists differ, and why.
DIFFERENT = {
    "subgroups": "as documented; caproto 1.x has three of the eight groups left",
    "custom_write": "as documented; caproto 1.x has a PV for the directory",
    "autosave": "the helper has PVs of its own",
}

WITHOUT_NAMESAKE = {
    "configurations": "our own",
    "inline_style": "caproto 1.x has it no more",
    "defaultdict_server": "has every PV, so there is no list",
    "demo": "starts demo_ioc, as a process",
    "demo_ioc": "our own",
    "statistics": "our own",
}


def listed(package: str, server: str, scripts: list[str]) -> dict[str, list[str]]:
    """PVs by module, without the package."""
    run = subprocess.run(
        [sys.executable, str(SCRIPT), server, *(f"{package}.{script}" for script in scripts)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found: dict[str, list[str]] = json.loads(run.stdout)
    return {name.removeprefix(f"{package}."): pvs for name, pvs in found.items()}


@pytest.fixture(scope="module")
def ours() -> dict[str, list[str]]:
    return listed("ioc_ops.examples", "ioc_ops.server", list(NAMESAKES))


@pytest.fixture(scope="module")
def theirs() -> dict[str, list[str]]:
    return listed("caproto.ioc_examples", "caproto.server", list(NAMESAKES.values()))


@pytest.mark.parametrize("script", DOCUMENTED)
def test_the_documented_list(script: str, ours: dict[str, list[str]]) -> None:
    name = script.partition(" ")[0]
    found = ours
    if " " in script or name not in ours:
        found = listed("ioc_ops.examples", "ioc_ops.server", [script])
    assert found[name] == DOCUMENTED[script]


@pytest.mark.parametrize("script", NAMESAKES)
def test_the_list_of_the_namesake(
    script: str, ours: dict[str, list[str]], theirs: dict[str, list[str]]
) -> None:
    name, other = script.partition(" ")[0], NAMESAKES[script].partition(" ")[0]
    if name == "formula":  # caproto's variables come in the order of a set
        assert sorted(ours[name]) == sorted(theirs[other])
    elif name in DIFFERENT:
        assert ours[name] != theirs[other], f"{name} is no exception any more"
    else:
        assert ours[name] == theirs[other]


def test_every_example_is_compared_and_has_its_line() -> None:
    lines = examples()
    names = {name.removeprefix("ioc_ops.examples.") for name in lines}
    assert names == {script.partition(" ")[0] for script in NAMESAKES} | WITHOUT_NAMESAKE.keys()
    assert all(line.endswith((".", ").")) and len(line) < 100 for line in lines.values())


def test_the_list_of_examples_is_printed() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "ioc_ops.examples"], capture_output=True, text=True, check=True
    )
    for name, line in examples().items():
        assert any(name in printed and line in printed for printed in run.stdout.splitlines())
