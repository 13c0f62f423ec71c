"""Fields on the Python side: when they are made, how they follow the record, hooks, DISP, time."""

import asyncio
from typing import Any

import numpy as np
import pytest

from ioc_ops.channel import AccessRights, AlarmSeverity, AlarmStatus, ChannelType
from ioc_ops.errors import AccessError, ChannelError
from ioc_ops.records import Field
from ioc_ops.server import PVGroup, PVSpec, pvproperty


def made(**declaration: Any) -> Any:
    return type("Group", (PVGroup,), {"x": pvproperty(**declaration)})("T:").x


class Counting:
    """A feed that counts."""

    def __init__(self, channel: Any, mask: int) -> None:
        self.mask = mask
        self.posts = 0
        channel.subscribe(self)

    def post(self) -> None:
        self.posts += 1


# -- when they are made ---------------------------------------------------------------------


def test_ten_thousand_records_have_no_fields_until_somebody_asks() -> None:
    body = {f"pv{i}": pvproperty(value=0.0, record="ai") for i in range(10_000)}
    group: Any = type("Group", (PVGroup,), body)("T:")
    pvs = list(group.pvdb.values())
    assert not any("fields" in pv.__dict__ for pv in pvs)
    assert len({id(pv.metadata) for pv in pvs}) == 1  # shared until one differs
    group.pv7.fields["HIHI"]
    assert [pv.name for pv in pvs if "fields" in pv.__dict__] == ["T:pv7"]
    assert list(group.pv7.fields._made) == ["HIHI"]
    assert not pvs[0].feeds
    assert pvs[8].metadata is pvs[9].metadata


def test_looking_is_not_touching() -> None:
    fields = made(value=1.0, record="ai").fields
    assert "HIHI" in fields
    assert "NOPE" not in fields
    assert len(fields) == len(list(fields)) > 70
    assert "VAL" not in list(fields)
    assert not fields._made
    assert repr(fields) == "<AiFields of T:x: 0 made>"


def test_fields_by_name_and_by_python_name_are_one() -> None:
    x = made(value=1.0, record="ai")
    field = x.fields["HOPR"]
    assert x.field_inst.high_operating_range is field is x.field_inst.HOPR
    assert x.get_field("HOPR") is field
    assert x.get_field("VAL") is x.get_field("") is x.fields["VAL"] is x
    assert field.name == "T:x.HOPR"
    assert field.parent is x
    assert x.field_inst.pvdb["HOPR"] is field
    assert x.field_inst.attr_pvdb["high_operating_range"] is field
    with pytest.raises(AttributeError, match="no field NOPE"):
        x.get_field("NOPE")
    with pytest.raises(AttributeError, match="ai records have no field speed"):
        _ = x.field_inst.speed
    with pytest.raises(KeyError):
        _ = x.fields["NOPE"]


def test_a_plain_pv_has_no_fields() -> None:
    x = made(value=1.0)
    assert x.fields == {}
    with pytest.raises(AttributeError):
        x.get_field("DESC")


def test_fields_of_a_spec_without_a_group() -> None:
    x: Any = PVSpec(name="alone", value=1.0, record="ai").create()
    assert x.fields["DESC"].name == "alone.DESC"
    assert x.fields.log.name == "ioc_ops.pv"


def test_copies_of_a_field_go_on_alone() -> None:
    from ioc_ops.channel.frames import freeze

    x = made(value=1.0, record="ai", units="mm")
    frame: Any = freeze(x.fields["HIHI"])
    x.update_metadata(upper_alarm_limit=5.0, units="cm")
    assert (frame.value, frame.units, x.fields["HIHI"].value) == (0.0, "mm", 5.0)


# -- the record and its fields say the same -------------------------------------------------


def test_what_is_declared_is_what_the_fields_say() -> None:
    x = made(
        value=1.5, record="ao", doc="a position", units="mm", precision=2,
        upper_disp_limit=10.0, lower_disp_limit=-10.0, upper_alarm_limit=9.0,
        lower_alarm_limit=-9.0, drive_high=8.0, drive_low=-8.0, hysteresis=0.5, value_atol=0.25,
        asg="BEAM",
    )  # fmt: skip
    values = {name: x.fields[name].value for name in "DESC EGU PREC HOPR LOPR HIHI LOLO".split()}
    assert values == {
        "DESC": "a position", "EGU": "mm", "PREC": 2,
        "HOPR": 10.0, "LOPR": -10.0, "HIHI": 9.0, "LOLO": -9.0,
    }  # fmt: skip
    rest = "HHSV HSV LLSV DRVH DRVL HYST MDEL ADEL ASG NAME RTYP OVAL UDF DISP".split()
    assert [x.fields[name].value for name in rest] == [
        *("MAJOR", "NO_ALARM", "MAJOR", 8.0, -8.0, 0.5, 0.25, 0.0),
        *("BEAM", "T:x", "ao", 1.5, 0, 0),
    ]  # fmt: skip


def test_severities_may_be_declared() -> None:
    x = made(value=1.0, record="ai", upper_alarm_limit=5.0, upper_alarm_severity=3)
    assert x.fields["HHSV"].value == "INVALID"
    asyncio.run(x.write(6.0))
    assert (x.alarm.status, x.alarm.severity) == (AlarmStatus.HIHI, AlarmSeverity.INVALID_ALARM)


def test_changes_from_the_server_reach_the_fields_and_their_monitors() -> None:
    x = made(value=1.0, record="ai")
    fields = x.fields
    feeds = {name: Counting(fields[name], 1) for name in "EGU HIHI DESC SEVR AMSG PREC".split()}

    async def change() -> None:
        await x.write_metadata(units="mm", precision=1, upper_alarm_limit=5.0)
        x.description = "moved"
        await x.alarm.write(status=AlarmStatus.COMM, severity=3, alarm_string="no answer")

    asyncio.run(change())
    assert {name: feed.posts for name, feed in feeds.items()} == dict.fromkeys(feeds, 1)
    assert [fields[name].value for name in feeds] == ["mm", 5.0, "moved", "INVALID", "no answer", 1]
    asyncio.run(x.write_metadata(units="mm"))
    assert feeds["EGU"].posts == 1


def test_the_text_of_an_alarm_ends_with_it() -> None:
    x = made(value=1.0, record="ai")
    asyncio.run(x.alarm.write(status=AlarmStatus.COMM, severity=3, alarm_string="no answer"))
    assert x.fields["AMSG"].value == "no answer"
    told = Counting(x.fields["AMSG"], 1)
    asyncio.run(x.alarm.write(alarm_string="still none"))
    assert (x.fields["AMSG"].value, told.posts) == ("still none", 1)
    x.alarm.change(AlarmStatus.NO_ALARM, AlarmSeverity.NO_ALARM)
    assert x.fields["AMSG"].value == ""


def test_writing_a_field_changes_the_record_and_posts_property_once() -> None:
    x = made(value=1.0, record="ai")
    properties, values = Counting(x, 8), Counting(x, 7)

    async def change() -> None:
        await x.field_inst.engineering_units.write("mm")
        await x.field_inst.engineering_units.write("mm")
        await x.fields["HIHI"].write(0.5)
        await x.fields["HHSV"].write("MAJOR")

    asyncio.run(change())
    assert (x.units, x.metadata.upper_alarm_limit) == ("mm", 0.5)
    assert x.severity == AlarmSeverity.MAJOR_ALARM  # the value is beyond it already
    assert (properties.posts, values.posts) == (3, 1)


def test_an_alarm_that_a_hook_has_set_stands_when_limits_change() -> None:
    x = made(value=1.0, record="ai", upper_alarm_limit=5.0)
    x.alarm.change(AlarmStatus.COMM, AlarmSeverity.INVALID_ALARM)
    asyncio.run(x.fields["HIHI"].write(0.5))
    assert x.alarm.status == AlarmStatus.COMM


def test_a_refused_name_of_a_state_changes_nothing() -> None:
    x = made(value=0, dtype=ChannelType.ENUM, enum_strings=("a", "b"), record="mbbi")

    def refuse(*_: Any, **__: Any) -> None:
        raise ChannelError("refused")

    x.__dict__["update_metadata"] = refuse
    with pytest.raises(ChannelError):
        asyncio.run(x.fields["TWST"].write("c"))
    assert (x.fields["TWST"].value, x.enum_strings) == ("", ("a", "b"))


def test_fields_show_alarm_and_time_of_their_record() -> None:
    x = made(value=1.0, record="ai", upper_alarm_limit=5.0)
    field = x.fields["EGU"]
    asyncio.run(x.write(7.0, timestamp=1_000_000_000.0))
    assert (field.status, field.severity) == (AlarmStatus.HIHI, AlarmSeverity.MAJOR_ALARM)
    before = field.time_ns
    asyncio.run(x.write(8.0, timestamp=4_000_000_000.0))
    assert field.time_ns == 4_000_000_000 * 10**9 > before
    asyncio.run(field.write("mm", timestamp=1.0))
    assert x.severity == AlarmSeverity.MAJOR_ALARM  # writing a field is no reason to end it


def test_alarms_are_no_events_of_other_fields() -> None:
    x = made(value=1.0, record="ai", upper_alarm_limit=5.0)
    other, severity = Counting(x.fields["DESC"], 4), Counting(x.fields["SEVR"], 1)
    asyncio.run(x.write(7.0))
    assert (other.posts, severity.posts) == (0, 1)


def test_what_is_said_of_a_field_outlives_changes_of_the_record() -> None:
    x = made(value=1.0, record="motor", units="mm", precision=3)
    rbv = x.field_inst.user_readback_value
    assert (rbv.units, rbv.precision) == ("mm", 3)
    asyncio.run(rbv.write_metadata(precision=5))
    asyncio.run(x.write_metadata(units="deg"))
    assert (rbv.units, rbv.precision) == ("deg", 5)


# -- who may write --------------------------------------------------------------------------


def test_rights() -> None:
    x = made(value=1.0, record="ai")
    read, write = AccessRights.READ, AccessRights.READ_WRITE
    rights = {n: x.fields[n].check_access("h", "u") for n in ("HIHI", "SEVR", "NAME", "RTYP")}
    assert rights == {"HIHI": write, "SEVR": read, "NAME": read, "RTYP": read}
    fixed = made(value=1.0, record="ai", read_only=True)
    assert fixed.check_access("h", "u") == read
    assert fixed.fields["DESC"].check_access("h", "u") == write


def test_a_record_that_refuses_somebody_refuses_with_all_fields() -> None:
    from ioc_ops.server import PvpropertyDouble

    class Picky(PvpropertyDouble):
        def check_access(self, hostname: str, username: str) -> AccessRights:
            return AccessRights.READ_WRITE if username == "operator" else AccessRights.READ

    x = made(value=1.0, record="ai", dtype=Picky)
    assert x.fields["HIHI"].check_access("h", "guest") == AccessRights.READ
    assert x.fields["HIHI"].check_access("h", "operator") == AccessRights.READ_WRITE


def test_access_group_and_level() -> None:
    x = made(value=1.0, record="ai", asg="ONE")
    told: list[int] = []
    x.fields["HIHI"].when_regrouped(lambda: told.append(1))
    assert (x.fields["HIHI"].asg, x.fields["HIHI"].asl, x.fields["PROC"].asl) == ("ONE", 1, 1)
    asyncio.run(x.fields["ASG"].write("TWO"))
    assert (x.asg, x.fields["HIHI"].asg, told) == ("TWO", "TWO", [1])
    x.fields["HIHI"].asg = "THREE"
    assert x.asg == "THREE"


def test_disp_keeps_clients_out_and_the_ioc_not() -> None:
    x = made(value=1.0, record="ai")
    asyncio.run(x.fields["DISP"].write(1))
    for channel in (x, x.fields["DESC"]):
        assert channel.hooked
        with pytest.raises(AccessError):
            asyncio.run(channel.put(channel.convert(channel.value)))
    asyncio.run(x.write(2.0))
    asyncio.run(x.fields["DISP"].put(0))
    assert not x.hooked
    asyncio.run(x.put(3.0))
    assert x.value == 3.0


# -- values of all kinds --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declaration", "native", "value"),
    [
        ({"record": "int64in", "value": 1 << 60}, ChannelType.DOUBLE, 1 << 60),
        ({"record": "int64out"}, ChannelType.DOUBLE, 0),
        ({"record": "longin", "value": 3}, ChannelType.LONG, 3),
        ({"record": "longin", "value": 3.5}, ChannelType.DOUBLE, 3.5),
        ({"record": "ai"}, ChannelType.DOUBLE, 0.0),
        ({"record": "ai", "value": 1}, ChannelType.LONG, 1),
        ({"record": "stringin", "value": "abc"}, ChannelType.STRING, "abc"),
        ({"record": "stringin", "value": "abc", "max_length": 100}, ChannelType.CHAR, "abc"),
        ({"record": "stringin", "value": "abc", "dtype": str}, ChannelType.CHAR, "abc"),
        ({"record": "stringout"}, ChannelType.STRING, ""),
        ({"record": "lsi", "value": "abc", "max_length": 100}, ChannelType.CHAR, "abc"),
        ({"record": "mbbo"}, ChannelType.LONG, 0),
        ({"record": "mbbi"}, ChannelType.ENUM, 0),
        ({"record": "bo", "value": True}, ChannelType.ENUM, "On"),
        ({"record": "waveform", "value": [1, 2]}, ChannelType.LONG, [1, 2]),
    ],
)
def test_what_a_declaration_makes(
    declaration: dict[str, Any], native: ChannelType, value: Any
) -> None:
    x = made(**declaration)
    assert (x.shown_as[0], x.value) == (native, value)
    assert x.reported_record_type == declaration["record"]


def test_int64_keeps_all_its_bits() -> None:
    x = made(record="int64in", value=0)
    asyncio.run(x.write((1 << 62) + 1))
    assert x.value == (1 << 62) + 1
    with pytest.raises(ChannelError):
        asyncio.run(x.write(1 << 63))
    asyncio.run(x.put(x.decode(ChannelType.DOUBLE, 1, np.array([7.9], ">f8").tobytes())))
    assert x.value == 7
    assert made(record="int64in", value=1, read_only=True).check_access("", "") == AccessRights.READ


def test_every_field_of_every_record_can_be_read_and_written() -> None:
    from every_record import every_record

    for pv in every_record().pvdb.values():
        for name, field in pv.fields.items():
            assert isinstance(field, Field)
            asyncio.run(field.write(field.value))
            assert field.payload(field.data_type + 28, 0), name


def test_states_are_made_of_the_names_of_a_record() -> None:
    x = made(record="mbbi", value=0, dtype=ChannelType.ENUM, enum_strings=("a", "b"))
    asyncio.run(x.fields["THST"].write("d"))
    assert x.enum_strings == ("a", "b", "", "d")
    asyncio.run(x.write("d"))
    assert x.fields["RVAL"].value == 3
    asyncio.run(x.fields["RVAL"].write(1))
    assert x.value == "b"
    asyncio.run(x.fields["THST"].write(""))
    assert x.enum_strings == ("a", "b")


# -- what a client may try ------------------------------------------------------------------


def sent(channel: Any, native: ChannelType, value: float) -> None:
    """Write as a circuit does for a PV without hooks."""
    payload = np.array([value], dict(enumerate("_ >i2 >f4 >u2 u1 >i4 >f8".split()))[native])
    channel.assign(channel.decode(native, 1, payload.tobytes()))


def test_limits_beyond_the_type_of_the_value_refuse_it() -> None:
    x = made(value=5, record="ao")
    for name, limit in (("DRVH", 1e300), ("DRVL", 1e299)):
        sent(x.fields[name], ChannelType.DOUBLE, limit)
    with pytest.raises(ChannelError):
        sent(x, ChannelType.LONG, 7)
    assert x.value == 5


@pytest.mark.parametrize(
    ("field", "native", "value"),
    [
        ("HHSV", ChannelType.ENUM, 0xFFFF),
        ("HHSV", ChannelType.ENUM, 4),
        ("PHAS", ChannelType.DOUBLE, 1e10),
        ("PHAS", ChannelType.DOUBLE, float("nan")),
        ("TPRO", ChannelType.LONG, -1),
        ("LINR", ChannelType.LONG, -1),
    ],
)
def test_values_that_do_not_fit_are_refused(field: str, native: ChannelType, value: float) -> None:
    x = made(value=5.0, record="ai")
    before = x.fields[field].value
    with pytest.raises(ChannelError):
        sent(x.fields[field], native, value)
    assert x.fields[field].value == before


def test_a_limit_that_a_field_has_no_room_for() -> None:
    x = made(value=5, record="longin")
    assert x.fields["HIHI"].value == 0
    x.update_metadata(upper_alarm_limit=1e20)
    assert (x.fields["HIHI"].value, x.metadata.upper_alarm_limit) == (0, 1e20)


def test_what_is_no_number_has_no_bits() -> None:
    x = made(value=5.0, record="mbboDirect")
    asyncio.run(x.fields["B0"].write(0))
    sent(x, ChannelType.DOUBLE, float("nan"))
    assert x.fields["B0"].value == 0
    integer = made(value=-1, record="mbboDirect")
    asyncio.run(integer.fields["B1F"].write(0))
    assert integer.value == 0x7FFFFFFF
    asyncio.run(integer.fields["B1F"].write(1))
    assert integer.value == -1


def test_a_bit_that_the_putter_refuses_stays() -> None:
    class Group(PVGroup):
        x = pvproperty(value=0, record="mbboDirect")

        @x.putter
        async def x(self, instance: Any, value: int) -> None:
            raise ValueError("no")

    x: Any = Group("T:").x
    with pytest.raises(ValueError, match="no"):
        asyncio.run(x.fields["B1"].put(1))
    assert (x.value, x.fields["B1"].value) == (0, 0)
