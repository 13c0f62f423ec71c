"""What our server makes of channel names with modifiers, beside what EPICS Base makes of them."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from filter_client import USUAL, Client, Pair, decoded

from ioc_ops.ca import ChannelType, Command, EventMask

STATE = "F:red"

# -- names -----------------------------------------------------------------------------------

GOOD_NAMES = [
    "F:ao.",
    "F:ao.VAL",
    "F:ao.{}",
    "F:ao.{} ",
    "F:ao.{/* nothing */}",
    "F:ao.{}// the end",
    "F:ao.[2:3]",
    'F:ao.VAL{"dbnd":{"abs":1.5}}',
    "F:ao.{dbnd:{rel:10}}",
    "F:ao.{'dbnd':{'m':'rel','d':10,},}",
    "F:ao.{dbnd:{m:1,d:'2.5 mm'}}",
    "F:ao.{dbnd:{}}",
    "F:ao.{dbnd:{d:true}}",
    "F:ao.{dbnd:{d:0x10}}",
    "F:ao.{dbnd:{d:+.5}}",
    "F:ao.{dbnd:{a:1}}",
    "F:ao.{dbnd:{abs:{rel:5}}}",
    "F:ao.{dec:{n:3}}",
    "F:ao.{utag:{}}",
    "F:ao.{utag:{M:255,V:1}}",
    "F:ao.{utag:{V:'0x10'}}",
    "F:ao.{utag:{M:1.5,V:0}}",
    "F:ao.{dec:{n:3},dec:{n:2},dbnd:{abs:1}}",
    "F:ao.{sync:{while:'red'}}",
    "F:ao.{sync:{m:'unless',s:'red'}}",
    "F:ao.{sync:{m:3,s:'r\\x65d'}}",
    "F:ao.{sync:{bef:'\\u0072ed'}}",
    "F:ao.{ts:{}}",
    'F:ao.{"ts":{"num":"dbl"}}',
    'F:ao.{"ts":{"num":"sec","epoch":"unix"}}',
    'F:ao.{"ts":{"num":"nsec"}}',
    'F:ao.{"ts":{"num":"ts"}}',
    'F:ao.{"ts":{"str":"iso"}}',
    'F:ao.{"ts":{"str":"epics","num":"ts"}}',
    'F:ao.{"ts":{"num":"ts"},"arr":{"s":1}}',
    "F:lo.{ts:{num:'dbl'}}",
    "F:mbb.{dbnd:{abs:1}}",
    "F:mbb.{arr:{}}",
    "F:so.$",
    "F:so.VAL$",
    "F:so.VAL$[0:4]",
    "F:so.$[5:-1]",
    "F:so.VAL${arr:{s:1,e:3}}",
    "F:lso.$",
    "F:wf.[3]",
    "F:wf.[]"[:-1] + "1:2:7]",
    "F:wf.[:]",
    "F:wf.[::]",
    "F:wf.[-3:-1]",
    "F:wf.[2:]",
    "F:wf.[:2:]",
    "F:wf.[:0:]",
    "F:wf.[:-2:]",
    "F:wf.[ 1:010]",
    "F:wf.[0x1:0X5]",
    "F:wf.[5:2]",
    "F:wf.[20:30]",
    "F:wf.[-30:-20]",
    "F:wf.[1:5]{arr:{s:1}}",
    "F:wf.{arr:{s:1,e:5},arr:{s:1}}",
    "F:wf.{arr:{s:'2',i:2.9,e:true}}",
    "F:wf.{arr:{s:1},ts:{num:'ts'}}",
    "F:wf.{arr:{s:1},dec:{n:2},dbnd:{abs:1}}",
    "F:wl.[1:3]",
    "F:ws.[1:2]",
    "F:wc.[1:2]",
]

BAD_NAMES = [
    "F:ao{}",
    "F:ao[1]",
    "F:ao.$",
    "F:wf.$",
    "F:mbb.$",
    "F:ao.{",
    "F:ao.{}x",
    "F:ao.{}{}",
    "F:ao.{}[1]",
    "F:ao.{}/",
    "F:ao.{,}",
    "F:ao.{dbnd}",
    "F:ao.{dbnd:}",
    "F:ao.{dbnd:{abs:}}",
    "F:ao.{dbnd:{abs:1}",
    "F:ao.{dbnd:{abs:1}},",
    "F:ao.{dbnd:{abs:01}}",
    "F:ao.{dbnd:{abs:1e}}",
    "F:ao.{dbnd:{abs:-}}",
    "F:ao.{dbnd:{abs:0x}}",
    "F:ao.{dbnd:{abs:null}}",
    "F:ao.{dbnd:{abs:[1]}}",
    "F:ao.{dbnd:{abs:'x'}}",
    "F:ao.{dbnd:{abs:3000000000}}",
    "F:ao.{dbnd:{abs:1,,rel:2}}",
    "F:ao.{dbnd:{d:1,m:'off'}}",
    "F:ao.{dbnd:{m:2}}",
    "F:ao.{dbnd:{m:true}}",
    "F:ao.{dbnd:{x:1}}",
    "F:ao.{dbnd:{absolute:1}}",
    "F:ao.{dbnd:1}",
    "F:ao.{dbnd:[]}",
    "F:ao.{dbnd:null}",
    "F:ao.{nothing:{}}",
    "F:ao.{Ts:{}}",
    "F:ao.{t:{}}",
    "F:ao.{utag:{v:1}}",
    "F:ao.{utag:{V:'x'}}",
    "F:ao.{utag:1}",
    "F:ao.{dec:{}}",
    "F:ao.{dec:{n:0}}",
    "F:ao.{dec:{n:-2}}",
    "F:ao.{dec:{n:2.0}}",
    "F:ao.{dec:{n:'2'}}",
    "F:ao.{sync:{}}",
    "F:ao.{sync:{m:'while'}}",
    "F:ao.{sync:{s:'red'}}",
    "F:ao.{sync:{while:'blue'}}",
    "F:ao.{sync:{while:1}}",
    "F:ao.{sync:{while:'red\\1'}}",
    "F:ao.{sync:{while:'red}}",
    "F:ao.{ts:{num:2}}",
    "F:ao.{ts:1}",
    "F:so.VAL[0:4]$",
    "F:wf.[]",
    "F:wf.[1",
    "F:wf.[1:2:3:4]",
    "F:wf.[a]",
    "F:wf.[1 ]",
    "F:wf.[08]",
    "F:wf.[1][2]",
    "F:wf.{arr:{s:2}}x",
    "F:wf.[1].VAL",
    "F:wf.{arr:{s:1e99}}",
    "F:nobody.{}",
]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_a_name_that_base_knows_gives_the_same_channel(pair: Pair, name: str) -> None:
    theirs, ours = pair.base.connect(name), pair.ours.connect(name)
    assert (ours.native, ours.count) == (theirs.native, theirs.count)
    assert pair.ours.search(name)


def test_names_that_base_refuses_are_refused(pair: Pair) -> None:
    assert pair.base.create(*BAD_NAMES) == [None] * len(BAD_NAMES)
    assert pair.ours.create(*BAD_NAMES) == [None] * len(BAD_NAMES)
    found = {n: (pair.base.search(n), pair.ours.search(n)) for n in BAD_NAMES}
    assert {n: both for n, both in found.items() if both[0] != both[1]} == {}


# -- reads -----------------------------------------------------------------------------------


def both(pair: Pair) -> Iterator[Client]:
    yield pair.base
    yield pair.ours


def put_to_both(pair: Pair, name: str, *values: Any, native: ChannelType | None = None) -> None:
    for client in both(pair):
        assert client.put(client.connect(name), *values, native=native) == 1


ARRAYS: list[tuple[str, list[Any]]] = [
    ("F:wf", [1.5, -2, 3e10, 4, 5, 6, 7]),
    ("F:wf", [1, 2]),
    ("F:wl", [10, 20, 30, 40]),
    ("F:ws", [b"one", b"two", b"three"]),
    ("F:wc", [7, 0, 255, 1, 2, 3, 4, 5]),
]
RANGES = ["", "[1]", "[0:-1]", "[1:2:9]", "[-2:-1]", "[-9:3:-1]", "[4:-3]", "[5:9]", "[9:5]"]


@pytest.mark.parametrize(("name", "values"), ARRAYS)
def test_parts_of_arrays_read_as_from_base(pair: Pair, name: str, values: list[Any]) -> None:
    put_to_both(pair, name, *values)
    for part in RANGES:
        channels = [client.connect(f"{name}.{part}") for client in both(pair)]
        native = channels[0].native
        for data_type in (native, native + 14, native + 28, ChannelType.DOUBLE, ChannelType.STRING):
            if native == ChannelType.STRING and data_type == ChannelType.DOUBLE:
                continue  # no numbers
            for count in (0, 1, 3, 12):
                theirs, ours = (
                    client.get(channel, data_type, count)
                    for client, channel in zip(both(pair), channels, strict=True)
                )
                case = (part, data_type, count)
                assert (case, ours.status, ours.values) == (case, theirs.status, theirs.values)


@pytest.mark.parametrize("text", ["", "x", "hello world", "y" * 39])
def test_long_strings_read_as_from_base(pair: Pair, text: str) -> None:
    put_to_both(pair, "F:so", text.encode())
    for modifiers in ("$", "$[0:4]", "$[5:-1]", "$[-5:-1]", "$[-9:-7]", "${arr:{i:3}}"):
        theirs, ours = (client.connect(f"F:so.{modifiers}") for client in both(pair))
        for data_type in (ChannelType.CHAR, ChannelType.TIME_CHAR):
            for count in (0, 1, 3, 20, 50):
                expected = pair.base.get(theirs, data_type, count).values
                got = pair.ours.get(ours, data_type, count).values
                assert (modifiers, count, got) == (modifiers, count, expected)


def test_a_long_string_is_written_as_characters(pair: Pair) -> None:
    text = "longer than the forty characters of a string" + "!" * 20
    put_to_both(pair, "F:lso.$", *text.encode(), 0)
    for client in both(pair):
        channel = client.connect("F:lso.$")
        assert bytes(client.get(channel, ChannelType.CHAR).values) == text.encode() + b"\0"
        assert client.get(client.connect("F:lso")).values == [text[:39]]
        # More than fits is cut, and terminated.
        assert client.put(channel, *b"x" * 100) == 1
        assert bytes(client.get(channel, ChannelType.CHAR).values).rstrip(b"\0") == b"x" * 80


@pytest.mark.parametrize("epoch", ["epics", "unix"])
@pytest.mark.parametrize("form", ["dbl", "sec", "nsec", "ts"])
def test_the_time_of_a_value_as_a_number(pair: Pair, form: str, epoch: str) -> None:
    put_to_both(pair, "F:lo", 5)
    for client in both(pair):
        extras = client.get(client.connect("F:lo")).extras
        seconds = extras.seconds + (631152000 if epoch == "unix" else 0)
        expected = {
            "dbl": [seconds + extras.nanoseconds * 1e-9],
            "sec": [seconds],
            "nsec": [extras.nanoseconds],
            "ts": [seconds, extras.nanoseconds],
        }[form]
        channel = client.connect(f"F:lo.{{ts:{{num:'{form}',epoch:'{epoch}'}}}}")
        assert client.get(channel, count=len(expected)).values == expected
        texts = client.get(channel, ChannelType.STRING, len(expected)).values
        if form != "dbl":  # Base has no digits there, as the record has no precision
            assert texts == [str(value) for value in expected]


@pytest.mark.parametrize("form", ["epics", "iso"])
def test_the_time_of_a_value_as_text(pair: Pair, form: str) -> None:
    name = f"F:lo.{{ts:{{str:'{form}'}}}}"
    put_to_both(pair, "F:lo", 5)
    theirs, ours = (client.get(client.connect(name)).values[0] for client in both(pair))
    assert len(ours) == len(theirs)
    # Both in the same second, or the next: the rest is layout and time zone.
    assert [c for c in ours if not c.isdigit()] == [c for c in theirs if not c.isdigit()]
    assert ours[:13] == theirs[:13] or ours[14:16] == "00"


def test_without_options_ts_reads_as_now(pair: Pair) -> None:
    put_to_both(pair, "F:lo", 5)
    for client in both(pair):
        stored = client.get(client.connect("F:lo")).extras
        channel = client.connect("F:lo.{ts:{}}")
        first, second = client.get(channel), client.get(channel)
        times = [(e.seconds, e.nanoseconds) for e in (stored, first.extras, second.extras)]
        assert times == sorted(set(times))
        assert first.values == [5]


def test_metadata_of_filtered_channels_is_that_of_the_record(pair: Pair) -> None:
    put_to_both(pair, "F:ao", 60.0)
    for name in ("F:ao.{ts:{num:'dbl'}}", "F:ao.{dbnd:{abs:1}}", "F:ao.{dec:{n:2}}"):
        theirs, ours = (
            client.get(client.connect(name), ChannelType.CTRL_DOUBLE).extras
            for client in both(pair)
        )
        assert (ours.units, ours.precision) == (theirs.units, theirs.precision)
        assert (ours.status, ours.severity) == (theirs.status, theirs.severity)
        assert ours.limits.upper_alarm == theirs.limits.upper_alarm


# -- events ----------------------------------------------------------------------------------

Step = tuple[str, tuple[Any, ...]]


def events_of(
    client: Client,
    record: str,
    filters: Sequence[str],
    steps: Sequence[Step],
    mask: int = USUAL,
    count: int = 0,
) -> dict[str, list[str]]:
    """The events that monitors behind these filters get while puts are made, one by one."""
    targets = {name: client.connect(name) for name in {name for name, _ in steps} | {record}}
    monitors = {f: client.monitor(client.connect(f"{record}.{f}"), mask, count) for f in filters}
    # Subscribed last, this one has its events last: with it all others have come.
    reference = client.monitor(targets[record], int(EventMask.VALUE | EventMask.ALARM))
    client.event(reference)
    for name, values in steps:
        assert client.put(targets[name], *values) == 1
        if name == record:
            client.event(reference)
    client.echo()
    # As text, where what is no number equals itself.
    return {f: [repr(event.shown) for event in client.seen(n)] for f, n in monitors.items()}


def compare_events(
    pair: Pair, record: str, filters: Sequence[str], steps: Sequence[Step], **options: int
) -> dict[str, list[str]]:
    theirs, ours = (events_of(client, record, filters, steps, **options) for client in both(pair))
    for each in filters:
        assert (each, ours[each]) == (each, theirs[each])
    return ours


NUMBERS = [
    *(0, 1, 1, 1.5, 2, 3.5, 3.4, 10, 10.5, 11.2, 100, 109, 111, 55, 49, 0, -1, -3, -60, -60),
    *(-59.5, -200, 1e300, -1e300, 5, float("inf"), 4, float("nan"), 3, 2, 2.2, 2.3),
]
DEADBANDS = [
    "{dbnd:{abs:0}}",
    "{dbnd:{abs:1.5}}",
    "{dbnd:{d:10}}",
    "{dbnd:{abs:-1}}",
    '{"dbnd":{"m":"abs","d":0.45}}',
    "{utag:{}}",
    "{utag:{M:1,V:1}}",
    "{utag:{V:0},dec:{n:2}}",
    "{dbnd:{abs:1},utag:{V:2}}",
    "{dec:{n:1}}",
    "{dec:{n:3}}",
    "{dec:{n:2},dbnd:{abs:1}}",
    "{dbnd:{abs:1},dec:{n:2}}",
    "{dbnd:{abs:2},dbnd:{abs:5}}",
    "{ts:{}}",
    "[0:1]",
]
RELATIVE = ["{dbnd:{rel:10}}", "{dbnd:{rel:0}}", '{"dbnd":{"m":"rel","d":50}}', "{dbnd:{rel:200}}"]
FINITE = [number for number in NUMBERS if abs(number) < 1e200]


@pytest.mark.parametrize("mask", [1, 3, 4, 5, 7, 15])
def test_deadbands_and_decimation_of_a_number(pair: Pair, mask: int) -> None:
    put_to_both(pair, "F:ao", 0.0)
    puts = [("F:ao", (number,)) for number in NUMBERS]
    compare_events(pair, "F:ao", DEADBANDS, puts, mask=mask)


def test_relative_deadbands(pair: Pair) -> None:
    put_to_both(pair, "F:ao", 0.0)
    puts = [("F:ao", (number,)) for number in FINITE]
    seen = compare_events(pair, "F:ao", RELATIVE, puts)
    assert 1 < len(seen["{dbnd:{rel:10}}"]) < len(FINITE)


def test_deadbands_of_integers_states_and_text(pair: Pair) -> None:
    put_to_both(pair, "F:lo", 0)
    filters = ["{dbnd:{abs:1}}", "{dbnd:{rel:50}}", "{dec:{n:2}}"]
    compare_events(pair, "F:lo", filters, [("F:lo", (n,)) for n in (1, 2, 2, 4, 5, 9, 8, 0)])
    put_to_both(pair, "F:mbb", 0)
    compare_events(pair, "F:mbb", filters, [("F:mbb", (n,)) for n in (1, 2, 0, 2, 1)])
    put_to_both(pair, "F:bo", 0)
    compare_events(pair, "F:bo", ["{dbnd:{abs:.5}}", *filters], [("F:bo", (n,)) for n in (1, 0, 1)])
    put_to_both(pair, "F:so", b"0")
    puts = [("F:so", (text,)) for text in (b"1", b"1.2", b"many", b"")]
    seen = compare_events(pair, "F:so", [*filters, "$", "$[1:2]", "${dec:{n:2}}"], puts)
    assert len(seen["{dbnd:{abs:1}}"]) == 1 + len(puts)


MODES = ("before", "first", "last", "after", "while", "unless")
SYNC = [f"{{sync:{{{mode}:'red'}}}}" for mode in MODES]
# A state is set and cleared between puts; it may also change twice unseen.
STATES: list[Step] = []
for _number, _state in enumerate([0, 1, None, 1, None, 0, 1, None, 0, None, None, 1, 0, 1, 0, 1]):
    if _state is not None:
        STATES.append((STATE, (_state,)))
    STATES.append(("F:ao", (float(_number),)))
STATES += [(STATE, (0,)), (STATE, (1,)), ("F:ao", (99.0,)), (STATE, (0,)), ("F:ao", (98.0,))]


@pytest.mark.parametrize("at_first", [0, 1])
def test_states_let_updates_pass(pair: Pair, at_first: int) -> None:
    put_to_both(pair, STATE, at_first)
    put_to_both(pair, "F:ao", -1.0)
    more = ["{sync:{while:'red'},dec:{n:2}}", "{dbnd:{abs:2},sync:{first:'red'}}"]
    seen = compare_events(pair, "F:ao", SYNC + more, STATES)
    assert all(seen[each] for each in SYNC)
    put_to_both(pair, STATE, 0)


LENGTHS: list[Step] = [
    ("F:wf", tuple(float(i + n) for i in range(n))) for n in (3, 1, 10, 2, 2, 7, 4)
]


@pytest.mark.parametrize("count", [0, 1, 5, 12])
def test_monitors_of_arrays_follow_their_length(pair: Pair, count: int) -> None:
    put_to_both(pair, "F:wf", 1.0, 2.0)
    filters = ["", *[part for part in RANGES if part], "{dec:{n:2}}", "{dbnd:{abs:1}}"]
    seen = compare_events(pair, "F:wf", filters, LENGTHS, count=count)
    assert len(seen[""]) == 1 + len(LENGTHS)
    if not count:
        assert [event.count(".") for event in seen[""]] == [2, 3, 1, 10, 2, 2, 7, 4]


# -- old clients -----------------------------------------------------------------------------


@pytest.mark.parametrize("minor", [4, 8, 9, 11, 13])
def test_old_protocols_get_what_they_get_from_base(
    base_port: int, our_port: int, minor: int
) -> None:
    """Before CA 4.9 no message is larger than 65534 bytes, and no count."""
    requests = [(6, 1), (6, 5), (6, 8191), (6, 8192), (20, 8190)]
    if minor >= 9:
        requests.append((6, 0))  # clients of that age do not ask for as many as there are
    seen = []
    for port in (base_port, our_port):
        client = Client(port, minor)
        try:
            channel = client.connect("F:big")
            assert client.put(channel, 1.0, 2.0, 3.0) == 1
            found: list[Any] = [channel.count]
            for data_type, count in requests:
                message = client.get_message(channel, data_type, count)
                if message.header.command == Command.ERROR:
                    found.append(message.header.parameter2)
                else:
                    found.append(decoded(message).values[:6])
            seen.append(found)
        finally:
            client.close()
    assert seen[1] == seen[0]
