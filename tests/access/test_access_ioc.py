"""Whole IOCs: the same rules and clients as with an IOC of EPICS Base, and the command line."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from raw_circuit import RawCircuit, decoded

from ioc_ops.ca import Command, Eca

HERE = Path(__file__).parent
RULES = """
UAG(ops) {op}
UAG(bosses) {boss}
HAG(rooms) {Console}
ASG(DEFAULT) {
    RULE(1, READ)
    RULE(1, WRITE, TRAPWRITE) { UAG(ops, bosses) HAG(rooms) }
}
ASG(GUARDED) {
    INPA($(P)gate)
    RULE(0, READ) { CALC("A=1 || A=2") }
    RULE(0, WRITE) { UAG(ops) CALC("A=2") }
    RULE(1, WRITE) { UAG(bosses) }
}
ASG(SHUT) { RULE(1, NONE) }
ASG(OPEN) { RULE(1, WRITE) }
"""
NAMES = ["plain", "guarded", "guarded.VAL", "guarded.DESC", "shut", "stray", "gate.EGU"]

Clients = Callable[..., RawCircuit]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.acf"
    path.write_text(RULES)
    return path


@pytest.fixture
def start(start_ioc: Callable[..., Any], rules: Path) -> Callable[..., Any]:
    """Start one of the two IOCs by its kind."""

    def run(kind: str, *arguments: str) -> Any:
        if kind == "base":
            command = ["base_secured_ioc.py", "sec:", str(rules), "P=sec:"]
        else:
            command = ["secured_ioc.py", "--acf", str(rules), "--acf-macros", "P=sec:", *arguments]
        return start_ioc([sys.executable, str(HERE / command[0]), *command[1:]])

    return run


@pytest.fixture
def client() -> Iterator[Clients]:
    """Connect to an IOC as somebody."""
    with ExitStack() as opened:

        def connect(ioc: Any, user: str = "op", host: str = "console") -> RawCircuit:
            circuit = opened.enter_context(RawCircuit(ioc.port))
            circuit.socket.settimeout(20.0)  # a server may be starved of its processor
            circuit.send(Command.HOST_NAME, 0, 0, 0, 0, host.encode() + b"\0")
            circuit.send(Command.CLIENT_NAME, 0, 0, 0, 0, user.encode() + b"\0")
            return circuit

        yield connect


def rights_told(circuit: RawCircuit) -> int:
    return circuit.answer(Command.ACCESS_RIGHTS).header.parameter2


def observe(ioc: Any, client: Clients) -> list[object]:
    """What clients are told and get, in a play of several acts."""
    seen: list[object] = []
    for user in ("op", "boss", "guest", ""):
        for host in ("console", "CONSOLE", "office"):
            circuit = client(ioc, user, host)
            rights = [circuit.connect(f"sec:{name}").rights for name in NAMES]
            seen.append((user, host, rights))
    boss, watcher, operator = client(ioc, "boss"), client(ioc, "guest"), client(ioc, "op")
    gate, guarded = boss.connect("sec:gate"), boss.connect("sec:guarded")
    ours = operator.connect("sec:guarded")
    watched = watcher.connect("sec:guarded")
    plain, mark = boss.connect("sec:plain"), watcher.monitor(watcher.connect("sec:plain"))
    watcher.event(mark)

    def events_are_out() -> None:
        """Base looks at the rights when an event goes out, which may be later than the put."""
        assert boss.put(plain, 1.0 + len(seen)) == Eca.NORMAL
        watcher.event(mark)

    seen.append((gate.rights, guarded.rights, ours.rights, watched.rights))

    number = watcher.monitor(watched)
    first = watcher.answer(Command.EVENT_ADD, p2=number)
    seen.append(("before", Eca(first.header.parameter1)))
    seen.append(("written", boss.put(guarded, 5.0)))  # no event: the watcher may not read
    events_are_out()

    seen.append(("gate 1", boss.put(gate, 1.0), rights_told(watcher), rights_told(operator)))
    seen.append(watcher.event(number).value)
    seen.append(("refused", operator.put(ours, 6.0)))

    seen.append(("gate 2", boss.put(gate, 2.0), rights_told(operator)))
    seen.append(("allowed", operator.put(ours, 6.0)))
    seen.append(watcher.event(number).value)

    seen.append(("gate 0", boss.put(gate, 0.0), rights_told(watcher), rights_told(operator)))
    lost = watcher.answer(Command.EVENT_ADD, p2=number)
    seen.append((Eca(lost.header.parameter1), bytes(lost.payload).strip(b"\0")))
    seen.append(("read", Eca(watcher.get(watched, count=1).status)))
    seen.append(("written", boss.put(guarded, 7.0), boss.put(guarded, 8.0)))
    events_are_out()

    seen.append(("gate 1", boss.put(gate, 1.0), rights_told(watcher)))
    again = decoded(watcher.answer(Command.EVENT_ADD, p2=number))
    seen.append((Eca(again.status), again.value))  # of 7 nothing was heard
    return seen


def test_clients_see_what_an_ioc_of_base_shows_them(
    start: Callable[..., Any], client: Clients
) -> None:
    of_base = start("base")
    expected = observe(of_base, client)
    of_base.stop()
    assert observe(start("ours"), client) == expected
    # The play has shown what it was meant to.
    assert ("guest", "console", [1, 0, 0, 0, 0, 1, 1]) in expected
    assert ("refused", Eca.NOWTACCESS) in expected
    assert (Eca.NORDACCESS, b"") in expected
    assert expected[-1] == (Eca.NORMAL, 8.0)


def test_puts_under_trapwrite_are_on_stderr(start: Callable[..., Any], client: Clients) -> None:
    ioc = start("ours")
    operator = client(ioc, "op", "console")
    assert operator.put(operator.connect("sec:plain"), 9.5) == Eca.NORMAL
    line = ioc.wait_for("pv=sec:plain")
    assert "user=op host=console address=127.0.0.1:" in line
    assert "old=1.0 new=9.5 time=20" in line


def test_rules_are_read_anew_while_the_ioc_runs(
    start: Callable[..., Any], client: Clients, rules: Path
) -> None:
    operator = client(start("ours"), "op", "console")
    plain, reread = operator.connect("sec:plain"), operator.connect("sec:reread")
    problem = operator.connect("sec:problem")
    assert plain.rights == 3
    rules.write_text("ASG(DEFAULT) {\n RULE(1) }")
    operator.put(reread, 1)
    text = bytes(operator.get(problem, count=0).values).decode()
    assert text.rstrip("\0") == f"{rules}:2: ',' expected, found ')'"
    rules.write_text("ASG(DEFAULT) { RULE(1, READ) } ASG(OPEN) { RULE(1, WRITE) }")
    operator.put(reread, 1)
    assert rights_told(operator) == 1


@pytest.mark.parametrize("way", ["option", "variable"])
def test_hosts_are_compared_by_address_where_that_is_asked_for(
    start: Callable[..., Any],
    client: Clients,
    rules: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    rules.write_text(
        "HAG(here) {localhost} HAG(there) {10.9.8.7}\n"
        "ASG(DEFAULT) { RULE(1, READ) { HAG(here) } RULE(1, WRITE) { HAG(there) } }"
    )
    if way == "variable":
        monkeypatch.setenv("asCheckClientIP", "1")
    ioc = start("ours", *(["--acf-check-ip"] if way == "option" else []))
    assert client(ioc, host="10.9.8.7").connect("sec:plain").rights == 1


@pytest.mark.parametrize(
    ("text", "arguments", "problem"),
    [
        ("ASG(DEFAULT) {\n RULE(1, REED)\n", [], "{}:3: RULE or INPA ... INPU expected"),
        ("ASG(DEFAULT) { INPA($(P)x) }", [], "{}:1: macro 'P' has no value"),
        ("ASG(DEFAULT)", ["--acf-macros", "P"], "macros: 'P' is not NAME=VALUE"),
        (None, [], "{}: No such file or directory"),
    ],
)
def test_rules_that_are_wrong_end_the_start_with_one_line(
    start_ioc: Callable[..., Any],
    rules: Path,
    text: str | None,
    arguments: list[str],
    problem: str,
) -> None:
    if text is None:
        rules.unlink()
    else:
        rules.write_text(text)
    command = [sys.executable, str(HERE / "secured_ioc.py"), "--acf", str(rules), *arguments]
    ioc = start_ioc(command, ready=False, expect_exit=2)
    assert ioc.wait(30.0) == 2
    [line] = ioc.lines
    assert line.startswith("secured_ioc.py: error: " + problem.format(rules))
