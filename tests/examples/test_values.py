"""Examples about PVs and what they hold, each run and used as its text says."""

from typing import Any

import pytest

NONE, MINOR, MAJOR = 0, 1, 2  # alarm severities
HIGH, WRITE = 4, 2  # alarm status


def test_scalars_and_arrays(example: Any, connected: Any, refusal: Any) -> None:
    ioc = example("scalars_and_arrays")
    first = {
        "scalar_int": 1,
        "scalar_int2": 2,
        "array_int": [3],
        "scalar_float": 1.01,
        "array_float": [3.01],
        "scalar_string": "string1",
        "array_string": ["string1", "string2"],
        "byte": list(b"byte0123"),
        "char": list(b"char0123"),
        "enum": 0,
    }
    client = connected(*(f"arr:{name}" for name in first))
    assert {name: client.value(f"arr:{name}") for name in first} == first
    counts = {name: client("describe", f"arr:{name}")["count"] for name in first}
    scalars = ("scalar_int", "scalar_int2", "scalar_float", "scalar_string", "enum")
    arrays = {"array_int": 5, "array_float": 5, "array_string": 5, "byte": 10, "char": 10}
    assert counts == dict.fromkeys(scalars, 1) | arrays
    assert client("describe", "arr:scalar_float")["precision"] == 5
    assert client("describe", "arr:enum")["enum_strings"] == ["no", "yes"]

    client.put("arr:array_int", [1, 2, 3, 4, 5])
    client.put("arr:array_string", ["a", "b", "c"])
    client.put("arr:enum", "yes")
    assert client.value("arr:array_int") == [1, 2, 3, 4, 5]
    assert client.value("arr:array_string") == ["a", "b", "c"]
    assert client.value("arr:enum", text=True) == "yes"
    with pytest.raises(refusal):
        client.put("arr:array_int", list(range(6)))
    client.put("arr:scalar_int", 77)
    ioc._out.wait_for("scalar_int=77 scalar_int2=2 array_int=[1 2 3 4 5]", 10)


def test_macros(example: Any, connected: Any) -> None:
    ioc = example("macros", "--beamline", "XF31ID", "--thing", "detector")
    ioc.wait_for("macros:XF31ID:detector.RBV")
    client = connected("macros:XF31ID:detector.VAL", "macros:XF31ID:detector.RBV")
    assert client.value("macros:XF31ID:detector.VAL") == 0
    client.put("macros:XF31ID:detector.RBV", 3)
    assert client.value("macros:XF31ID:detector.RBV") == 3


def test_macros_in_a_prefix_with_braces(example: Any, connected: Any) -> None:
    example("macros", "--prefix", "XF:{Zeb:3}{thing}-", "--thing", "th")
    client = connected("XF:{Zeb:3}th-my_beamline:th.VAL")
    assert client.value("XF:{Zeb:3}th-my_beamline:th.VAL") == 0


def test_macros_have_options_in_the_help(example: Any) -> None:
    ioc = example("macros", "--help", ready=False)
    assert ioc.wait(30) == 0
    said = "\n".join(ioc.out)
    assert "--beamline BEAMLINE" in said
    assert "--thing THING" in said


def test_subgroups(example: Any, connected: Any) -> None:
    ioc = example("subgroups")
    ioc.prints("ioc.group4.subgroup4.random: ")
    texts = ("RECORD_LIKE1.RTYP", "recordlike2.DESC")
    largest = {
        "random": 100,
        "group1:random": 5,
        "group2-random": 20,
        "group3_prefix:random": 100,
        "group4:subgroup4:random": 100,
    }
    client = connected(*(f"subgroups:{name}" for name in (*texts, *largest)))
    assert [client.value(f"subgroups:{name}") for name in texts] == ["ai", "Description"]
    for name, limit in largest.items():
        values = {client.value(f"subgroups:{name}") for _ in range(20)}
        assert all(1 <= value <= limit for value in values)
        assert len(values) > 1
    assert ioc.prints("subgroups:group2-random: one of 20")


def test_records(example: Any, connected: Any, refusal: Any) -> None:
    ioc = example("records", expect_traceback=True)
    names = ["A", "B", "C", "D", "E", "A.RVAL", "B.RVAL", "D.RVAL", "A.RTYP", "D.RTYP", "C.HIHI"]
    names += ["E.RTYP", "A.DESC", "C.EGU"]
    client = connected(*(f"mock:{name}" for name in names))
    said = ioc.prints("Fields of B:")
    assert {"DESC", "SCAN", "RVAL", "DRVH", "OROC"} <= set(said.split())

    # 1 is no value for B: the put fails and the alarm is there, until the next good one.
    with pytest.raises(refusal):
        client.put("mock:B", 1)
    after = client("read", "mock:B")
    assert (after["value"], after["status"], after["severity"]) == (2.0, WRITE, MAJOR)
    client.put("mock:B", 3)
    assert client("read", "mock:B")["severity"] == NONE

    client.put("mock:A.RVAL", 7)
    assert (client.value("mock:A"), client.value("mock:B")) == (7, 7)
    client.put("mock:B.RVAL", 5)
    assert (client.value("mock:A"), client.value("mock:B")) == (-5, 15)
    client.put("mock:D.RVAL", 20)
    assert (client.value("mock:A"), client.value("mock:B")) == (10, 30)

    client.put("mock:C", 1.5)
    after = client("read", "mock:C")
    assert (after["status"], after["severity"]) == (HIGH, MINOR)
    with pytest.raises(refusal):
        client.put("mock:C", 3.5)
    assert client.value("mock:C") == 1.5
    described = client("describe", "mock:C")
    assert (described["units"], described["precision"]) == ("mm", 3)

    fields = {"A.RTYP": "ai", "D.RTYP": "ao", "E.RTYP": "stringin", "C.HIHI": 2.0, "C.EGU": "mm"}
    assert {name: client.value(f"mock:{name}") for name in fields} == fields
    assert client.value("mock:A.DESC") == "The first"
    assert client.value("mock:E") == "this is a test"


def test_simple_with_type_hints(example: Any, connected: Any, refusal: Any) -> None:
    ioc = example("simple_with_type_hints")
    names = [f"simple:{name}" for name in ("A", "B", "C", "D", "D.RTYP", "D.DESC", "D.ROFF")]
    client = connected(*names)
    told = [client.value(name) for name in names]
    assert told == [1, 2.0, [1, 2, 3], 4.5, "ai", "An analog input", 0]
    client.put("simple:C", [4, 5])
    client.put("simple:D.DESC", "text of a client")
    assert client.value("simple:C") == [4, 5]
    assert client.value("simple:D.DESC") == "text of a client"
    with pytest.raises(refusal):
        client.put("simple:B", 3)
    assert ioc.prints("simple:B is a DOUBLE")


def test_records_subclass(example: Any, connected: Any, refusal: Any) -> None:
    ioc = example("records_subclass")
    fields = ("RBV", "DRBV", "RRBV", "VELO", "RTYP")
    client = connected("mock:motor1", *(f"mock:motor2.{field}" for field in fields))
    assert "DMOV" in ioc.prints("Fields of motor1")
    client("connect", "mock:motor1.RBV")
    client("monitor", "mock:motor1.RBV")
    while not 1 <= client.next_value("mock:motor1.RBV") < 1.01:
        pass
    client.put("mock:motor1", 30)
    while not 30 <= client.next_value("mock:motor1.RBV") < 30.01:
        pass
    assert len({client.next_value("mock:motor1.RBV") for _ in range(4)}) == 4
    assert 2 <= client.value("mock:motor2.DRBV") < 2.01
    assert 200_000 <= client.value("mock:motor2.RRBV") < 201_000
    with pytest.raises(refusal):
        client.put("mock:motor1.RBV", 5)


def test_enums(example: Any, connected: Any, refusal: Any) -> None:
    example("enums")
    names = ["bo", "bi", "mbbi", "enum_class"]
    fields = ["bo.ZNAM", "bo.ONAM", "mbbi.ZRST", "mbbi.FRST", "enum_class.TWST", "bo.RTYP"]
    client = connected(*(f"enum:{name}" for name in (*names, *fields)))
    texts = [client.value(f"enum:{name}", text=True) for name in names]
    assert texts == ["One Value", "a", "one", "on"]
    told = [client.value(f"enum:{name}") for name in fields]
    assert told == ["Zero Value", "One Value", "zero", "four", "unknown", "bo"]
    assert client("describe", "enum:enum_class")["enum_strings"] == ["off", "on", "unknown"]
    client.put("enum:bo", 0)
    client.put("enum:mbbi", "three")
    client.put("enum:enum_class", 2)
    assert client.value("enum:bo", text=True) == "Zero Value"
    assert client.value("enum:mbbi") == 3
    assert client.value("enum:enum_class", text=True) == "unknown"
    with pytest.raises(refusal):
        client.put("enum:bi", "c")
    with pytest.raises(refusal):
        client.put("enum:enum_class", 3)


def test_no_pvproperty(example: Any, connected: Any) -> None:
    ioc = example("no_pvproperty", "--prefix", "mine:")
    client = connected("mine:a", "mine:b", "mine:c", "mine:b.RTYP", "mine:c.NELM")
    assert [client.value(f"mine:{name}") for name in "abc"] == [1, 2.0, [1, 2, 3]]
    client.put("mine:a", 0)
    client.put("mine:b", 2.5)
    client.put("mine:c", [9, 8])
    assert [client.value(f"mine:{name}") for name in "abc"] == [0, 2.5, [9, 8]]
    assert (client.value("mine:b.RTYP"), client.value("mine:c.NELM")) == ("ai", 3)
    assert ioc.prints("mine:b becomes 2.5")


def test_defaultdict_server(example: Any, connected: Any) -> None:
    ioc = example("defaultdict_server", "--interfaces", "0.0.0.0")
    assert "127.0.0.1" in ioc.wait_for("Listening on")
    client = connected("any:thing", "Some{thing}else.X")
    client.put("any:thing", 5)
    assert client.value("any:thing") == 5
    assert client.value("Some{thing}else.X") == 0


def test_big_image_noisy_neighbor(example: Any, connected: Any) -> None:
    example("big_image_noisy_neighbor", "--side", "100")
    client = connected("big_image:image", "big_image:t1")
    assert client("describe", "big_image:image")["count"] == 3960 * 3960
    for pv in ("big_image:image", "big_image:t1"):
        client("monitor", pv)
        client("event", pv)
    images = [client.next_value("big_image:image") for _ in range(3)]
    assert [len(image) for image in images] == [10_000] * 3
    assert images[0] != images[1] != images[2]
    times = [client.next_value("big_image:t1") for _ in range(3)]
    assert times == sorted(set(times))


@pytest.mark.parametrize("library", ["asyncio", "trio"])
def test_the_big_image_in_its_full_size(example: Any, connected: Any, library: str) -> None:
    """A small PV has its turn while images of 16 MB go out; nobody reads those here."""
    example("big_image_noisy_neighbor", "--async-lib", library)
    client = connected("big_image:t1")
    client("monitor", "big_image:t1")
    events = [client("event", "big_image:t1") for _ in range(6)]
    assert None not in events
