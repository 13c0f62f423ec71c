"""Text from files without types becomes what the PV is, or is refused with a reason."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ioc_ops.autosave.formats import FORMATS, parse
from ioc_ops.autosave.restore import apply, restore_value
from ioc_ops.autosave.values import UntypedValue, from_json, to_text
from ioc_ops.channel import (
    ChannelByte,
    ChannelChar,
    ChannelData,
    ChannelDouble,
    ChannelEnum,
    ChannelInt64,
    ChannelInteger,
    ChannelString,
)
from ioc_ops.errors import AutosaveError, ChannelError


def enum() -> ChannelEnum:
    return ChannelEnum(0, enum_strings=["Off", "On", "7"])


@pytest.mark.parametrize(
    ("channel", "text", "expected"),
    [
        (ChannelInteger(0), "-5", -5),
        (ChannelInteger(0), "1e+2", 100),
        (ChannelInt64(0), str(2**63 - 1), 2**63 - 1),
        (ChannelDouble(0.0), "3.141592653589793", math.pi),
        (ChannelDouble(0.0), "-inf", -math.inf),
        (ChannelDouble(0.0, max_length=3), "1.5", [1.5]),
        (ChannelDouble(np.zeros(1), max_length=3), "", []),
        (ChannelDouble(0.0, max_length=3), ("1", "2.5"), [1.0, 2.5]),
        (ChannelDouble(0.0), ("2.5",), 2.5),
        (ChannelString(""), "1e5", "1e5"),
        (ChannelString(["a"], max_length=3), ("x", "1"), ["x", "1"]),
        (ChannelChar(""), "long text", "long text"),
        (ChannelChar(""), ("104", "105", "0", "106"), "hi"),
        (ChannelByte(b"", max_length=4), ("104", "-56", "200", "0"), b"h\xc8\xc8\0"),
        (enum(), "1", "On"),
        (enum(), "On", "On"),
        (enum(), "7", "7"),
        (enum(), ("1",), "On"),
    ],
    ids=str,
)
def test_restored_to_the_type_of_the_pv(
    channel: ChannelData, text: str | tuple[str, ...], expected: object
) -> None:
    restore_value(channel, UntypedValue(text))
    value: object = channel.value
    if isinstance(expected, list):
        value = np.ravel(np.asarray(value)).tolist()
    assert value == expected


@pytest.mark.parametrize(
    ("channel", "text"),
    [
        (ChannelInteger(3), "5.7"),
        (ChannelInteger(3), "five"),
        (ChannelInteger(3), ""),
        (ChannelInteger(3), "9" * 20),
        (ChannelInteger(3), ("1", "2")),
        (ChannelDouble(3.0), "1_0"),
        (ChannelDouble(3.0, max_length=2), ("1", "2", "3")),
        (ChannelByte(b"x", max_length=4), ("300",)),
        (enum(), "9"),
        (enum(), "Nix"),
        (enum(), ("0", "1")),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(channel: ChannelData, text: str | tuple[str, ...]) -> None:
    before = repr(channel.value)
    with pytest.raises((AutosaveError, ChannelError)):
        restore_value(channel, UntypedValue(text))
    assert repr(channel.value) == before


@given(st.floats())
def test_doubles_to_the_bit(value: float) -> None:
    channel = ChannelDouble(0.0)
    restore_value(channel, UntypedValue(repr(value)))
    assert repr(float(channel.value)) == repr(value)


any_text = st.text(st.characters(codec=None, categories=None), max_size=10)


@given(any_text | st.lists(any_text, max_size=5).map(tuple))
def test_they_stand_in_our_own_file(text: str | tuple[str, ...]) -> None:
    value = UntypedValue(text)
    assert from_json(json.loads(to_text(value))) == value


@pytest.mark.parametrize("data", ['{"untyped": 1}', '{"untyped": [1]}', '{"untyped": null}'])
def test_untyped_holds_text(data: str) -> None:
    with pytest.raises(AutosaveError):
        from_json(json.loads(data))


@pytest.mark.parametrize("through", ["sav", "json"])
def test_a_file_of_synapps_restores_an_ioc(through: str) -> None:
    """Straight from the file, and from what `convert` makes of it."""
    golden = (Path(__file__).parent / "data" / "golden_R6-0.sav").read_bytes()
    dumps = FORMATS[through].dumps
    assert dumps is not None
    snapshot = parse(dumps(parse(golden)).content)
    channels: dict[str, ChannelData] = {
        "T:ao": ChannelDouble(0.0),
        "T:i64": ChannelInt64(0),
        "T:lo": ChannelInteger(0),
        "T:mbbo": enum(),
        "T:str": ChannelString(""),
        "T:empty": ChannelString("not"),
        "T:wfd": ChannelDouble(np.zeros(3), max_length=5),
        "T:wfc": ChannelByte(b"", max_length=20),
        "T:wfs": ChannelString([""], max_length=5),
        "T:calc.CALC": ChannelInteger(5),
        "T:new": ChannelInteger(6),
    }
    report = apply(snapshot, channels)
    assert report.skipped == {"T:calc.CALC": "'A+1' is no number"}
    assert report.unsaved == ("T:new",)
    assert channels["T:ao"].value == 12.5
    assert channels["T:i64"].value == 10**14
    assert channels["T:lo"].value == -5
    assert channels["T:mbbo"].value == "On"
    assert channels["T:str"].value == "  a\tb\n\u00e9 z  "
    assert channels["T:empty"].value == ""
    assert np.asarray(channels["T:wfd"].value).tolist() == [1.0, 0.1, 1e300]
    assert channels["T:wfc"].value == b'hello "w"\0\xc8'
    assert channels["T:wfs"].value == ["a b", 'q"q', "{x}", "back\\sl", "nl\nx"]
