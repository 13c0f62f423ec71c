"""The same script played on EPICS Base and on ours gets the same answers."""

from collections.abc import Callable
from typing import Any

import pytest
from every_record import database
from record_script import ALARM, LOG, PROPERTY, VALUE, Player
from record_servers import Ports

Play = Callable[..., list[Any]]

ANALOG = ("ai", "ao", "longin", "longout", "int64in", "int64out", "dfanout")
WITH_DRIVE_LIMITS = ("ao", "longout", "int64out")
TWO_STATES = ("bi", "bo")
MANY_STATES = ("mbbi", "mbbo")


@pytest.fixture(scope="module")
def ports(serve: Callable[..., Ports]) -> Ports:
    return serve("every_record", database(), "every_record")


# -- limits and alarms ----------------------------------------------------------------------


def alarm_limits(p: Player, record: str) -> None:
    name = f"R:{record}"
    p.write(name, 0)
    p.monitor(name, VALUE | ALARM)
    for field in ("STAT", "SEVR"):
        p.monitor(f"{name}.{field}", VALUE | ALARM)
    for field, limit in (("HIHI", 80), ("HIGH", 70), ("LOW", -70), ("LOLO", -80)):
        p.write(f"{name}.{field}", limit)
    p.write(name, 90)  # limits without severities say nothing
    for field, severity in (("HHSV", "MAJOR"), ("HSV", "MINOR"), ("LSV", 1), ("LLSV", 3)):
        p.write(f"{name}.{field}", severity)
    for value in (80, 79, 70, 69, 0, -70, -80, -81, 0):
        p.write(name, value)
        p.read(f"{name}.STAT", f"{name}.SEVR", f"{name}.HIHI")
    p.text(f"{name}.STAT", f"{name}.SEVR", f"{name}.LLSV")
    p.write(f"{name}.HYST", 5)
    for value in (80, 76, 75, 74, 71, 65, 64, -80, -76, -74, -66, -64):
        p.write(name, value)
    p.write(f"{name}.HYST", 0)
    p.write(name, 79)
    p.write(f"{name}.HIHI", 75)  # takes effect without a new value
    p.write(f"{name}.HHSV", "NO_ALARM")
    p.write(f"{name}.HSV", "NO_ALARM")


@pytest.mark.parametrize("record", ANALOG)
def test_alarm_limits_severities_and_hysteresis(play: Play, record: str) -> None:
    said = play(alarm_limits, record)
    assert any(f"R:{record}.SEVR/5" in str(line) for line in said)


def deadbands(p: Player, record: str) -> None:
    name = f"R:{record}"
    p.write(name, 0)
    p.monitor(name, VALUE)
    p.monitor(name, LOG)
    p.write(name, 0)  # nothing new
    p.write(f"{name}.MDEL", 2)
    p.write(f"{name}.ADEL", 5)
    for value in (1, 2, 3, 4, 6, 3, 9):
        p.write(name, value)
    p.read(f"{name}.MLST", f"{name}.ALST")
    p.write(f"{name}.EGU", "mm")
    p.write(name, 10)
    p.write(f"{name}.MDEL", -1)
    p.write(name, 10)
    p.write(name, 10)
    for field in ("MDEL", "ADEL"):
        p.write(f"{name}.{field}", 0)
    p.write(f"{name}.EGU", "")


@pytest.mark.parametrize("record", ANALOG)
def test_deadbands_of_values_and_of_the_archive(play: Play, record: str) -> None:
    play(deadbands, record)


def undefined(p: Player, record: str) -> None:
    name = f"R:{record}"
    p.write(name, 1)
    p.monitor(name, VALUE | ALARM)
    p.write(name, float("nan"))
    p.read(name, f"{name}.UDF", f"{name}.SEVR", f"{name}.STAT")
    p.write(name, 2)
    p.write(f"{name}.UDFS", "MINOR")  # counts from the next value on
    p.write(name, float("nan"))
    p.write(name, 2)
    p.read(name, f"{name}.UDF")
    p.write(f"{name}.UDFS", "INVALID")


@pytest.mark.parametrize("record", ["ao", "dfanout"])
def test_what_is_no_number_is_undefined(play: Play, record: str) -> None:
    play(undefined, record)


def acknowledging(p: Player) -> None:
    p.write("R:ao", 0)
    p.write("R:ao.HIGH", 10)
    p.write("R:ao.HSV", "MINOR")
    p.write("R:ao.HIHI", 20)
    p.write("R:ao.HHSV", "MAJOR")
    p.write("R:ao.ACKS", 0)
    p.acknowledge("R:ao", 3)
    for field in ("ACKS", "ACKT"):
        p.monitor(f"R:ao.{field}", VALUE)
    p.write("R:ao", 25)
    p.write("R:ao", 15)
    p.read("R:ao.ACKS", "R:ao.ACKT")
    p.acknowledge("R:ao", 1)  # too little
    p.read("R:ao.ACKS")
    p.acknowledge("R:ao.DESC", 2)  # any channel of the record will do
    p.read("R:ao.ACKS")
    p.write("R:ao", 25)
    p.transient("R:ao", 0)
    p.write("R:ao", 0)
    p.read("R:ao.ACKS", "R:ao.ACKT")
    p.transient("R:ao", 1)
    p.text("R:ao.ACKT", "R:ao.ACKS")
    for field in ("HSV", "HHSV"):
        p.write(f"R:ao.{field}", 0)


def test_alarms_are_acknowledged(play: Play) -> None:
    play(acknowledging)


# -- what stands beside the value -----------------------------------------------------------

_NUMBERS = {"HOPR": 100, "LOPR": -100, "HIHI": 80, "HIGH": 70, "LOW": -70, "LOLO": -80}
_SEVERITIES = {"HHSV": 2, "HSV": 1, "LSV": 1, "LLSV": 2}


def metadata(p: Player, record: str) -> None:
    name = f"R:{record}"
    integer = record.startswith(("long", "int64"))
    p.write(name, 1)
    p.monitor(name, PROPERTY)
    p.monitor(f"{name}.HIHI", PROPERTY)
    p.monitor(f"{name}.EGU", VALUE)
    p.write(f"{name}.EGU", "furlongs")
    if not integer:
        p.write(f"{name}.PREC", 3)
    for field, number in {**_NUMBERS, **_SEVERITIES}.items():
        p.write(f"{name}.{field}", number)
    if record == "ao":  # of which Base shows no control limits but these
        p.write(f"{name}.DRVH", 50)
        p.write(f"{name}.DRVL", -50)
    shown = [name, *(f"{name}.{field}" for field in (*_NUMBERS, "HYST", "MDEL", "LALM", "PHAS"))]
    if not (integer and record.startswith("int64")):
        p.control(*shown)
    else:
        p.control(*shown[1:])  # Base shows no alarm limits of 64-bit integers while one is off
    p.text(name, f"{name}.HIHI", f"{name}.HOPR", f"{name}.EGU")
    p.write(f"{name}.HHSV", 0)
    p.control(f"{name}.HIHI")
    for field in _SEVERITIES:
        p.write(f"{name}.{field}", 0)
    for field in _NUMBERS:
        p.write(f"{name}.{field}", 0)
    if record == "ao":
        p.write(name, 0)
        p.write(f"{name}.DRVH", 0)
        p.write(f"{name}.DRVL", 0)


@pytest.mark.parametrize("record", ANALOG)
def test_units_precision_and_limits_of_value_and_fields(play: Play, record: str) -> None:
    play(metadata, record)


def drive_limits(p: Player, record: str) -> None:
    name = f"R:{record}"
    p.write(name, 5)
    p.monitor(name, VALUE | PROPERTY)
    p.write(f"{name}.DRVH", 10)
    p.write(f"{name}.DRVL", -10)
    p.control(f"{name}.HIHI", f"{name}.DRVH")
    for value in (10, 11, 100, -10, -11, 0):
        p.write(name, value)
        p.read(name)
    p.write(f"{name}.DRVL", 20)  # none while low is above high
    p.write(name, 1000)
    p.read(name)
    p.write(name, 0)
    for field in ("DRVL", "DRVH"):
        p.write(f"{name}.{field}", 0)


@pytest.mark.parametrize("record", WITH_DRIVE_LIMITS)
def test_drive_limits_clamp(play: Play, record: str) -> None:
    play(drive_limits, record)


# -- states ---------------------------------------------------------------------------------


def two_states(p: Player, record: str) -> None:
    name = f"R:{record}"
    p.write(name, 0)
    p.monitor(name, VALUE | ALARM)
    p.monitor(name, PROPERTY)
    p.control(name)
    p.text(name)
    p.write(f"{name}.ZNAM", "Zero")
    p.write(f"{name}.ONAM", "A name that is longer than it may be")
    p.control(name)
    p.text(name, f"{name}.ONAM")
    p.write(name, "Zero")
    p.write(name, 1)
    p.write(name, 1)  # nothing new
    p.write(name, "1")
    p.write(f"{name}.ZSV", "MINOR")
    p.write(f"{name}.OSV", "MAJOR")
    p.write(name, 0)
    p.write(name, 1)
    p.write(f"{name}.OSV", 0)
    p.write(f"{name}.ZSV", 0)
    p.write(f"{name}.COSV", "MINOR")
    p.write(name, 0)
    p.write(name, 0)
    p.write(name, 1)
    p.write(f"{name}.COSV", 0)
    p.write(name, 0)
    p.write(name, "no such state")


@pytest.mark.parametrize("record", TWO_STATES)
def test_states_of_binary_records(play: Play, record: str) -> None:
    play(two_states, record)


def many_states(p: Player, record: str) -> None:
    name = f"R:{record}"
    p.write(name, 0)
    p.monitor(name, VALUE | ALARM)
    p.monitor(name, PROPERTY)
    p.control(name)
    p.write(f"{name}.THST", "Fourth")
    p.write(f"{name}.SXST", "Seventh")  # a hole in between
    p.control(name)
    p.write(name, "Fourth")
    p.text(name)
    p.write(f"{name}.THST", "Renamed")
    p.text(name)
    p.write(name, 6)
    p.write(f"{name}.SXSV", "MAJOR")
    p.write(f"{name}.ZRSV", "MINOR")
    p.write(name, 0)
    p.write(name, "6")
    for field in ("SXSV", "ZRSV"):
        p.write(f"{name}.{field}", 0)
    p.write(f"{name}.SXST", "")
    p.write(f"{name}.THST", "")
    p.write(name, 1)
    p.control(name)


@pytest.mark.parametrize("record", MANY_STATES)
def test_states_of_multi_bit_records(play: Play, record: str) -> None:
    play(many_states, record)


def no_states(p: Player) -> None:
    channel = p.client.open("R:bare")
    p.note(channel.native, channel.count)
    p.write("R:bare", 12)
    p.read("R:bare")
    p.text("R:bare")


def test_a_record_without_states_is_a_number(play: Play) -> None:
    assert play(no_states)[0] == (5, 1)


def bits(p: Player) -> None:
    p.write("R:mbboDirect", 0)
    p.monitor("R:mbboDirect", VALUE)
    p.monitor("R:mbboDirect.B3", VALUE)
    p.write("R:mbboDirect.B3", 1)
    p.write("R:mbboDirect.B0", 1)
    p.write("R:mbboDirect", 6)
    p.read(*(f"R:mbboDirect.B{i:X}" for i in range(5)))
    p.write("R:mbboDirect.B1F", 1)
    p.write("R:mbboDirect.B3", 1)
    p.write("R:mbboDirect.B1F", 0)
    p.read("R:mbboDirect")


def test_bits_of_direct_records(play: Play) -> None:
    play(bits)


# -- texts, arrays, menus, links ------------------------------------------------------------


def texts(p: Player, record: str) -> None:
    name = f"R:{record}"
    channel = p.client.open(name)
    p.note(channel.native, channel.count)
    p.write(name, "first")
    p.monitor(name, VALUE)
    p.monitor(name, LOG)
    p.write(name, "first")
    p.write(name, "second")
    p.write(f"{name}.MPST", "Always")
    p.write(name, "second")
    p.write(f"{name}.APST", 1)
    p.write(name, "second")
    for field in ("MPST", "APST"):
        p.write(f"{name}.{field}", "On Change")
    p.text(f"{name}.MPST")


@pytest.mark.parametrize("record", ["stringin", "stringout"])
def test_texts_are_posted_on_change(play: Play, record: str) -> None:
    play(texts, record)


def long_texts(p: Player) -> None:
    p.write("R:ai.DESC", "x" * 39)
    p.write("R:ai.EGU", "as many as fit, not more")
    p.text("R:ai.DESC", "R:ai.EGU")
    p.control("R:ai")
    for field in ("DESC$", "EGU$", "INP$", "NAME$"):
        channel = p.client.open(f"R:ai.{field}")
        p.note(field, channel.native, channel.count, channel.rights)
    p.write("R:ai.DESC$", *b"forty characters, as DESC has room for..", 0)
    p.read("R:ai.DESC$")
    p.write("R:ai.DESC", "")
    p.write("R:ai.EGU", "")


def test_fields_of_text_have_a_size(play: Play) -> None:
    play(long_texts)


def arrays(p: Player, record: str) -> None:
    name = f"R:{record}"
    p.write(name, 1.0)
    p.read(f"{name}.NELM", f"{name}.FTVL")
    p.monitor(f"{name}.NORD", VALUE)
    p.write(name, 1.0, 2.0, 3.0)
    p.write(name, 4.0, 5.0, 6.0)
    p.write(name, 1.0)
    p.read(name, f"{name}.NORD")
    p.text(f"{name}.FTVL")
    for field, value in (("EGU", "mm"), ("PREC", 2), ("HOPR", 10), ("LOPR", -10)):
        p.write(f"{name}.{field}", value)
    p.control(name, f"{name}.HOPR")


@pytest.mark.parametrize("record", ["waveform", "aai", "aao"])
def test_arrays_tell_their_size(play: Play, record: str) -> None:
    play(arrays, record)


def menus(p: Player) -> None:
    p.monitor("R:ai.SCAN", VALUE)
    p.write("R:ai.SCAN", "5 second")
    p.text("R:ai.SCAN")
    p.write("R:ai.SCAN", 0)
    p.write("R:ai.SCAN", "6 second")
    p.write("R:ai.SCAN", "3")
    p.write("R:ai.SCAN", "Passive")
    p.read("R:ai.SCAN", "R:ai.STAT")
    p.text("R:ai.SSCN", "R:ai.PINI", "R:ai.LINR")
    p.control("R:ai.SCAN", "R:ai.STAT", "R:ai.DTYP", "R:ai.LINR")


def test_menus_by_name_and_by_index(play: Play) -> None:
    play(menus)


def plain_fields(p: Player) -> None:
    p.monitor("R:ai.DESC", VALUE)
    p.monitor("R:ai.DESC", ALARM)
    p.write("R:ai.DESC", "here")
    p.write("R:ai.DESC", "here")  # posted all the same
    p.write("R:ai.PHAS", 3)
    p.write("R:ai.FLNK", "")
    p.read("R:ai.PHAS", "R:ai.NAME", "R:ai.RTYP", "R:ai.VAL", "R:ai.", "R:ai.TPRO")
    p.write("R:ai.TPRO", 255)
    p.read("R:ai.TPRO")
    p.write("R:ai.TPRO", 0)
    p.write("R:ai.PHAS", 0)
    p.write("R:ai.SVAL", 1.5)
    p.write("R:ai.DESC", "")
    for name in ("R:ai.TIME", "R:ai.NOPE", "R:ai.DESCR", "R:ai.val"):
        p.note(name, p.client.create(name))


def test_fields_keep_what_is_written(play: Play) -> None:
    play(plain_fields)


def disabled(p: Player) -> None:
    p.write("R:longout", 1)
    p.monitor("R:longout.DISP", VALUE)
    p.write("R:longout.DISP", 1)
    p.write("R:longout", 2)
    p.write("R:longout.DESC", "not now")
    p.write("R:longout.PROC", 1)
    p.read("R:longout", "R:longout.DESC")
    p.write("R:longout.DISP", 0)
    p.write("R:longout", 2)
    p.read("R:longout")


def test_disp_keeps_clients_from_writing(play: Play) -> None:
    said = play(disabled)
    assert sum("PUTFAIL" in line for line in said) == 3


def processing(p: Player) -> None:
    p.write("R:ao", 1)
    p.write("R:ao.MDEL", -1)
    p.monitor("R:ao", VALUE)
    p.write("R:ao.PROC", 1)
    p.read("R:ao.PROC")
    p.write("R:ao.MDEL", 0)
    p.write("R:ao.PROC", 1)


def test_proc_processes_the_record(play: Play) -> None:
    play(processing)
