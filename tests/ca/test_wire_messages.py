"""Messages: both forms of the header, arbitrary chunking, and bytes that are no messages."""

import caproto
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_strategies import messages, noise, quick, thorough

from ioc_ops.ca import Command, Eca, Header, Message, pack_header, pack_message, parse
from ioc_ops.ca.header import EXTENDED, HEADER
from ioc_ops.errors import ProtocolError

LIMIT = 0x20000


def take_all(data: bytes) -> tuple[list[Message], bytes]:
    """All whole messages of `data`, and what is left."""
    found, start = [], 0
    while (taken := parse(data, start, LIMIT)) is not None:
        message, start = taken
        found.append(message)
    return found, data[start:]


@thorough
@given(messages())
def test_a_message_comes_back_as_it_was(message: Message) -> None:
    data = pack_message(message)
    assert parse(data, 0, LIMIT) == (message, len(data))


@pytest.mark.parametrize("command", list(Command))
@pytest.mark.parametrize("count", [1, 0x12345])
@pytest.mark.parametrize("size", [0, 8, 0x10000])
def test_every_command_in_both_forms(command: Command, count: int, size: int) -> None:
    message = Message(Header(command, size, 6, count, 0xFFFFFFFF, 7), bytes(size))
    data = pack_message(message)
    extended = count >= 0xFFFF or size >= 0xFFFF
    assert len(data) == (24 if extended else 16) + size
    assert take_all(data * 2) == ([message, message], b"")


def test_the_normal_header_byte_by_byte() -> None:
    header = pack_header(Command.READ_NOTIFY, 8, 20, 3, 0x01020304, 0xA0B0C0D0)
    assert header.hex(" ", 2) == "000f 0008 0014 0003 0102 0304 a0b0 c0d0"


@pytest.mark.parametrize(("size", "count"), [(0xFFFF, 1), (8, 0xFFFF), (0x10000, 0x10000)])
def test_the_extended_header_byte_by_byte(size: int, count: int) -> None:
    header = pack_header(Command.WRITE, size, 6, count, 1, 2)
    assert header[:8].hex(" ", 2) == "0004 ffff 0006 0000"
    assert header[8:] == bytes([0, 0, 0, 1, 0, 0, 0, 2]) + EXTENDED.pack(size, count)


def test_the_largest_normal_header() -> None:
    assert len(pack_header(Command.WRITE, 0xFFF8, 6, 0xFFFE, 1, 2)) == HEADER.size


def test_an_extended_header_that_need_not_be_is_understood() -> None:
    data = HEADER.pack(Command.ECHO, 0xFFFF, 0, 0, 5, 6) + EXTENDED.pack(8, 1) + b"8 bytes."
    expected = Message(Header(Command.ECHO, 8, 0, 1, 5, 6), b"8 bytes.")
    assert parse(data) == (expected, len(data))


@quick
@given(st.lists(messages(), max_size=6), st.lists(st.integers(1, 50), max_size=30))
def test_any_chunking_gives_the_same_messages(sent: list[Message], sizes: list[int]) -> None:
    stream = b"".join(pack_message(message) for message in sent)
    received, rest, start = [], b"", 0
    for size in [*sizes, len(stream)]:
        rest += stream[start : start + size]
        start += size
        found, rest = take_all(rest)
        received += found
    assert (received, rest) == (sent, b"")


@quick
@given(messages(), st.data())
def test_a_cut_message_waits_for_the_rest(message: Message, data: st.DataObject) -> None:
    whole = pack_message(message)
    cut = data.draw(st.integers(0, len(whole) - 1))
    assert parse(whole[:cut], 0, LIMIT) is None


@thorough
@given(noise, st.integers(0, 16))
def test_any_bytes_parse_wait_or_raise_protocol_error(data: bytes, start: int) -> None:
    try:
        taken = parse(data, start)
    except ProtocolError:
        return
    if taken is not None:
        message, end = taken
        assert start + 16 <= end <= len(data)
        assert len(message.payload) == message.header.size


@pytest.mark.parametrize("command", [28, 29, 0x4745, 0xFFFF])
def test_an_unknown_command_is_refused_before_its_payload_is_there(command: int) -> None:
    with pytest.raises(ProtocolError, match=f"{command} is not a command"):
        parse(HEADER.pack(command, 80, 0, 0, 0, 0))


@pytest.mark.parametrize("size", [1, 7, 9, 0xFFFE])
def test_a_payload_that_is_not_aligned_is_refused(size: int) -> None:
    with pytest.raises(ProtocolError, match="aligned"):
        parse(HEADER.pack(Command.ECHO, size, 0, 0, 0, 0), limit=0x10000)


@pytest.mark.parametrize(("size", "refused"), [(4096, False), (4104, True), (0xFFFFFFF8, True)])
def test_the_limit_is_known_from_the_header_alone(size: int, refused: bool) -> None:
    data = HEADER.pack(Command.WRITE, 0xFFFF, 0, 0, 0, 0) + EXTENDED.pack(size, 1)
    if refused:
        with pytest.raises(ProtocolError, match="above the limit of 4096"):
            parse(data, 0, 4096)
    else:
        assert parse(data, 0, 4096) is None


def test_packing_pads_to_eight_bytes() -> None:
    data = pack_message(Message(Header(Command.CREATE_CHAN, 8, 0, 0, 1, 13), b"pv"))
    assert data[16:] == b"pv\0\0\0\0\0\0"


def test_packing_refuses_a_size_that_is_not_that_of_the_payload() -> None:
    with pytest.raises(ProtocolError, match="size 16"):
        pack_message(Message(Header(Command.CREATE_CHAN, 16, 0, 0, 1, 13), b"pv"))


def test_numbers_of_commands_and_status_codes_are_those_of_another_implementation() -> None:
    theirs = {s.name.removeprefix("ECA_"): s.value.code_with_severity for s in caproto.CAStatus}
    theirs["ARRAY16KCLIENT"] = theirs.pop("16KARRAYCLIENT")  # no name for a member of an enum
    assert {code.name: int(code) for code in Eca} == {code.name: theirs[code.name] for code in Eca}
    requests = {
        Command.EVENT_ADD: "EventAddRequest",
        Command.EVENT_CANCEL: "EventCancelRequest",
        Command.READ: "ReadRequest",
        Command.WRITE: "WriteRequest",
        Command.SEARCH: "SearchRequest",
        Command.EVENTS_OFF: "EventsOffRequest",
        Command.EVENTS_ON: "EventsOnRequest",
        Command.READ_SYNC: "ReadSyncRequest",
        Command.ERROR: "ErrorResponse",
        Command.CLEAR_CHANNEL: "ClearChannelRequest",
        Command.RSRV_IS_UP: "Beacon",
        Command.NOT_FOUND: "NotFoundResponse",
        Command.READ_NOTIFY: "ReadNotifyRequest",
        Command.REPEATER_CONFIRM: "RepeaterConfirmResponse",
        Command.CREATE_CHAN: "CreateChanRequest",
        Command.WRITE_NOTIFY: "WriteNotifyRequest",
        Command.CLIENT_NAME: "ClientNameRequest",
        Command.HOST_NAME: "HostNameRequest",
        Command.ACCESS_RIGHTS: "AccessRightsResponse",
        Command.ECHO: "EchoRequest",
        Command.REPEATER_REGISTER: "RepeaterRegisterRequest",
        Command.CREATE_CH_FAIL: "CreateChFailResponse",
        Command.SERVER_DISCONN: "ServerDisconnResponse",
    }
    assert {c: getattr(caproto, name).ID for c, name in requests.items()} == {
        c: int(c) for c in requests
    }
