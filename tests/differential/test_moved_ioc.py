"""The same IOC and the same client: the same answers, but for what is listed with its reason."""

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from both_servers import (
    CLOSED,
    NO_ANSWER,
    Answer,
    Answers,
    Ask,
    hooks,
    inside,
    monitors,
    names,
    order_of_writes,
    reads,
    shapes,
    written,
)
from caproto_differences import (
    DIFFERENCES,
    FAULTS,
    OTHERWISE,
    REFUSES,
    TAKES,
    WITH_NEW_NUMPY,
    Case,
    as_table,
)
from differences import REQUESTS, WRITES
from two_iocs import SOURCE, Ports, moved

READ = (
    "number limited counted real hinted single short text unsized untold reported raw flag named "
    "first mode string numbers reals shorts singles strings padded array fixed fixed_mode got "
    "pair pair_RBV inner:x"
).split()
WRITTEN = (
    "number limited counted real single short text unsized untold reported raw flag named mode "
    "string numbers reals shorts singles strings padded fixed"
).split()
PAGE = SOURCE.parents[2] / "docs" / "how-to" / "move-from-caproto.md"
NOTHING = ("refused", NO_ANSWER, CLOSED)

used: set[Case] = set()
tried: set[str] = set()


@contextmanager
def both(ports: Ports) -> Iterator[tuple[Ask, Ask]]:
    """A connection to each."""
    theirs, ours = Ask(ports.caproto), Ask(ports.ours)
    try:
        yield theirs, ours
    finally:
        theirs.close()
        ours.close()


def is_refusal(answer: Answer) -> bool:
    """Whether nothing came of the request."""
    return (answer[0] if isinstance(answer, tuple) else answer) in NOTHING


def difference(theirs: Answer, ours: Answer) -> str:
    """In which way two answers differ."""
    if is_refusal(theirs) == is_refusal(ours):
        return OTHERWISE
    return REFUSES if is_refusal(ours) else TAKES


def explained(name: str, theirs: Answer, ours: Answer) -> Case | None:
    """What is listed for a case that differs."""
    kind = difference(theirs, ours)
    for row in (*DIFFERENCES, *FAULTS, *WITH_NEW_NUMPY):
        for case in row.cases:
            if case.ours == kind and re.fullmatch(case.pattern, name) and row.holds(theirs, ours):
                return case
    return None


def compare(theirs: Answers, ours: Answers) -> None:
    """Fail with all answers that differ for no reason that is listed.

    A case that one side alone has (the alarm after a write that the other refused) follows from
    another that differs.
    """
    alone = theirs.keys() ^ ours.keys()
    assert all(": alarm after " in name for name in alone), alone
    wrong = []
    for name in theirs.keys() & ours.keys():
        if theirs[name] == ours[name]:
            continue
        case = explained(name, theirs[name], ours[name])
        if case is None:
            kind = difference(theirs[name], ours[name])
            wrong.append(f"{name} ({kind}):\n    caproto {theirs[name]}\n    ours    {ours[name]}")
        else:
            used.add(case)
    assert not wrong, "\n".join(["", *sorted(wrong)])


def inside_cases() -> list[tuple[int, str, str]]:
    """Number, label and PV of the writes that the IOC does itself, from its source."""
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    table = next(
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "INSIDE"
    )
    assert isinstance(table, ast.List)
    found = []
    for number, entry in enumerate(table.elts):
        assert isinstance(entry, ast.Tuple)
        pv, given, options = entry.elts
        label = f"{ast.literal_eval(pv)} = {ast.unparse(given)}"
        if ast.unparse(options) != "{}":
            label += f", {ast.unparse(options)}"
        found.append((number, label, str(ast.literal_eval(pv))))
    return found


def test_a_difference_is_noticed() -> None:
    compare({"new": "done"}, {"new": "done"})
    for theirs, ours in (("done", "refused"), ("refused", "done"), ("done", "otherwise")):
        with pytest.raises(AssertionError, match=f"caproto {theirs}"):
            compare({"new": theirs}, {"new": ours})


def test_only_the_imports_differ() -> None:
    source = SOURCE.read_text(encoding="utf-8")
    pairs = list(zip(source.splitlines(), moved(source).splitlines(), strict=True))
    assert [new for old, new in pairs if new != old] == [
        old.replace("caproto", "ioc_ops") for old, _ in pairs if old.startswith("from caproto")
    ]


@pytest.mark.parametrize("pv", READ)
def test_reads_of_every_type_and_count(ports: Ports, pv: str) -> None:
    tried.add(f"read {pv}")
    with both(ports) as (theirs, ours):
        for ask in (theirs, ours):
            ask.reset()
        compare(
            {**shapes(theirs, pv), **reads(theirs, pv)}, {**shapes(ours, pv), **reads(ours, pv)}
        )


@pytest.mark.parametrize("pv", WRITTEN)
def test_writes_of_every_type(ports: Ports, pv: str) -> None:
    tried.add(f"write {pv}")
    with both(ports) as (theirs, ours):
        compare(written(theirs, pv), written(ours, pv))


def test_hooks_and_access(ports: Ports) -> None:
    tried.add("hooks")
    with both(ports) as (theirs, ours):
        compare(hooks(theirs), hooks(ours))
        compare(order_of_writes(theirs), order_of_writes(ours))


def test_names(ports: Ports) -> None:
    tried.add("names")
    compare(names(ports.caproto), names(ports.ours))


def test_monitors(ports: Ports) -> None:
    tried.add("monitors")
    compare(monitors(ports.caproto), monitors(ports.ours))


def test_writes_from_within(ports: Ports) -> None:
    tried.add("inside")
    with both(ports) as (theirs, ours):
        for number, label, pv in inside_cases():
            compare(inside(theirs, number, label, pv), inside(ours, number, label, pv))


def test_every_listed_difference_is_one() -> None:
    """A row that nothing needs any more hides the next fault."""
    everything = {f"read {pv}" for pv in READ} | {f"write {pv}" for pv in WRITTEN}
    if tried != everything | {"hooks", "names", "monitors", "inside"}:
        pytest.skip("only some of the cases were tried")
    listed = [case for row in (*DIFFERENCES, *FAULTS) for case in row.cases]
    assert [case for case in listed if case not in used] == []


def test_the_page_shows_the_differences() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert as_table() in page, f"in {PAGE.name} there must be:\n{as_table()}"
    words = " ".join(page.split())
    told = [row.reason for row in WRITES] + list(REQUESTS.values())
    assert [
        reason for reason in told if not reason.startswith("the same") and reason not in words
    ] == []
