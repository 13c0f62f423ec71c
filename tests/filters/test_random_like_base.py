"""Names and updates that nobody thought of, beside what EPICS Base makes of them.

Left out is what Base leaves undefined: NaN for an integer option, a choice of ``ts`` that is
none (its tables have no end), and texts without an end behind the last brace.
"""

import random

import pytest
from filter_client import Client, Pair
from test_filters_like_base import STATE, Step, events_of

OPTIONS = {
    "dbnd": ["d", "m", "abs", "rel", "a", "r", "''", "x", "'abs'", '"d"'],
    "arr": ["s", "i", "e", "'s'", "se", "''"],
    "sync": ["m", "s", "before", "first", "last", "after", "while", "unless", "w", "'while'", "''"],
    "dec": ["n", "'n'", "nn", "''"],
    "utag": ["M", "V", "m", "''"],
    "ts": ["num", "epoch", "str", "n", "e"],
    "none": ["a"],
}
VALUES = (
    "1 -1 0 2 2.5 +3 0x1F -0x2 1e2 .5 5. 1e 01 true false null [] [1] {} {s:1} '1' '2.5' '' '3x' "
    "'0x10' '010' 'abc' 'abs' 'rel' 'a' 'red' 're\\x64' 'blue' 'while' 'before' 2147483647 "
    "2147483648 -2147483648 9223372036854775807 9223372036854775808 1e308 1e309 '1e5'"
).split()
TIMES = {
    "num": ["'dbl'", "'sec'", "'nsec'", "'ts'", "'d'", "''", "1", "{}"],
    "n": ["'dbl'", "'t'"],
    "epoch": ["'unix'", "'epics'", "'u'", "1"],
    "e": ["'unix'"],
    "str": ["'iso'", "'epics'", "'i'", "true"],
}
SPACES = ["", "", " ", "\t", "\n", "/**/", "/*x*/", "//c\n"]
INDICES = ["", "", "0", "1", "-1", "3", "-3", "9", "12", "-12", " 2", "010", "0x3", "x", "1.5"]
RECORDS = ["F:ao", "F:lo", "F:wf", "F:wf", "F:so", "F:mbb", "F:wl"]


def filter_text(pick: random.Random) -> str:
    def space() -> str:
        return pick.choice(SPACES) if pick.random() < 0.2 else ""

    name = pick.choice(list(OPTIONS))
    pairs = []
    for _ in range(pick.choice([0, 1, 1, 1, 2, 2, 3])):
        key = pick.choice(OPTIONS[name])
        value = pick.choice(TIMES[key] if name == "ts" else VALUES)
        pairs.append(f"{space()}{key}{space()}:{space()}{value}{space()}")
    options = "{" + ",".join(pairs) + pick.choice(["", "", "", ","]) + "}"
    if pick.random() < 0.05:
        options = pick.choice(["1", "'x'", "[]", "null", "{", "}"])
    quote = pick.choice(["", "'", '"'])
    return f"{space()}{quote}{name}{quote}{space()}:{space()}{options}"


def channel_name(pick: random.Random) -> str:
    name = pick.choice(RECORDS) + pick.choice([".", ".", ".", ".VAL"])
    if pick.random() < 0.15:
        name += "$"
    if pick.random() < 0.35:
        indices = [pick.choice(INDICES) for _ in range(pick.choice([1, 2, 3, 3, 4]))]
        name += "[" + ":".join(indices) + pick.choice(["]", "]", "]", ""])
    if pick.random() < 0.7:
        filters = [filter_text(pick) for _ in range(pick.choice([0, 1, 1, 1, 2]))]
        name += "{" + ",".join(filters) + "}" + pick.choice(["", "", "", "", " ", "x", "//"])
    return name


def test_any_name_is_a_channel_here_when_it_is_one_there(pair: Pair) -> None:
    pick = random.Random(20)
    names = list(dict.fromkeys(channel_name(pick) for _ in range(600)))
    theirs = pair.base.create(*names)
    ours = pair.ours.create(*names)
    known = 0
    for name, there, here in zip(names, theirs, ours, strict=True):
        known += there is not None
        expected = there and (there.native, there.count)
        assert (name, here and (here.native, here.count)) == (name, expected)
    assert 50 < known < len(names) - 50


def one_filter(pick: random.Random) -> str:
    match pick.choice(["dbnd", "dbnd", "dec", "sync", "ts"]):
        case "dbnd":
            mode = pick.choice(["abs", "rel"])
            return f"dbnd:{{{mode}:{pick.choice([0, 1, 2.5, 10, 30, -1])}}}"
        case "dec":
            return f"dec:{{n:{pick.randint(1, 4)}}}"
        case "sync":
            mode = pick.choice(["before", "first", "last", "after", "while", "unless"])
            return f"sync:{{{mode}:'red'}}"
    return "ts:{}"


def some_value(pick: random.Random, record: str) -> float:
    if record == "F:ao":
        return round(pick.uniform(*pick.choice([(-100, 100), (-5, 5)])), 2)
    return pick.randint(-20, 20)


@pytest.mark.parametrize("seed", range(12))
def test_any_chain_of_filters_passes_the_same_events(pair: Pair, seed: int) -> None:
    pick = random.Random(seed)
    record = pick.choice(["F:ao", "F:lo"])
    chains = {",".join(one_filter(pick) for _ in range(pick.randint(1, 3))) for _ in range(8)}
    filters = [f"{{{chain}}}" for chain in sorted(chains)]
    steps: list[Step] = []
    for _ in range(25):
        if pick.random() < 0.3:
            steps.append((STATE, (pick.randint(0, 1),)))
        steps.append((record, (some_value(pick, record),)))
    mask = pick.choice([1, 3, 4, 5, 5, 5, 7, 15])
    start = some_value(pick, record)

    def seen_by(client: Client) -> dict[str, list[str]]:
        client.put(client.connect(STATE), 0)
        client.put(client.connect(record), start)
        return events_of(client, record, filters, steps, mask)

    assert seen_by(pair.ours) == seen_by(pair.base)
