"""What both servers are asked, and their answers in a form in which they can be compared."""

import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from wire_client import TIMEOUT, Connection, Raw, pack, request, shown, value

from ioc_ops.ca import ChannelType, Command

STRING, INT, FLOAT, ENUM, CHAR, LONG, DOUBLE = range(7)
AMOUNTS = {"all": 0, "one": 1}
NO_ANSWER, CLOSED = "no answer", "closed"
PATIENCE = 0.3  # seconds for an answer that may never come, before others are asked for
KNOWN = b"m:number\0"
TIME = 14
RESET = "reset"
ACCESS = (Command.CREATE_CHAN, Command.CREATE_CH_FAIL)
VALUE, ALARM = 1, 4
Answer = Any


class Ask(Connection):
    """A connection with one request at a time: caproto's echo does not come back as it was sent."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.port = port
        self.names: dict[str, int] = {}
        self.shapes: dict[str, tuple[int, int]] = {}
        self._requests = 0
        self._fence = 1_000_000  # beyond the ids of other channels

    def channel(self, pv: str) -> int:
        """The server's id of a PV, opened when first asked for."""
        if pv not in self.names:
            cid = len(self.names) + 1
            self.send(request(Command.CREATE_CHAN, p1=cid, p2=13, payload=f"m:{pv}\0".encode()))
            created = self.until(lambda m: m[0] in ACCESS and m[4] == cid)
            assert created, f"{pv}: closed"
            assert created[-1][0] == Command.CREATE_CHAN, f"{pv}: no such PV"
            self.names[pv] = created[-1][5]
            self.sids[created[-1][5]] = pv
            self.shapes[pv] = created[-1][2], created[-1][3]
            self.rights = next(m[5] for m in created if m[0] == Command.ACCESS_RIGHTS)
        return self.names[pv]

    def answer(self, command: int, pv: str, data_type: int, count: int, payload: bytes) -> Answer:
        """The reply to a request with completion, or what came in its place."""
        sid = self.channel(pv)
        self._requests += 1
        number = self._requests
        self.send(request(command, data_type, count, sid, number, payload))

        def ours(message: Raw) -> bool:
            if message[0] == Command.ERROR:
                return struct.unpack_from(">I", message[6], 12)[0] == number
            return message[0] == command and message[5] == number

        return self.awaited(ours)

    def awaited(self, wanted: Callable[[Raw], bool]) -> Answer:
        """The reply that is wanted; NO_ANSWER when two later requests are answered and it is not.

        How long it takes says nothing: a server may be starved of its processor.
        """
        found: list[Raw] = []
        self._socket.settimeout(PATIENCE)
        try:
            found = self.until(wanted)
        except TimeoutError:
            self._socket.settimeout(TIMEOUT)
            for _ in range(2):  # one after the other: caproto answers a write by a task
                self._fence += 1
                self.send(request(Command.CREATE_CHAN, p1=self._fence, p2=13, payload=KNOWN))
                found = self.until(lambda m: wanted(m) or self._is_fence(m))
                if not found or not self._is_fence(found[-1]):
                    break
            else:
                return NO_ANSWER
        finally:
            self._socket.settimeout(TIMEOUT)
        return found[-1] if found and wanted(found[-1]) else CLOSED

    def _is_fence(self, message: Raw) -> bool:
        return message[0] == Command.CREATE_CHAN and message[4] == self._fence

    def read(self, pv: str, data_type: int, count: int) -> Answer:
        """What a read of one type and count gives: element count, what goes with it, elements."""
        found = self.answer(Command.READ_NOTIFY, pv, data_type, count, b"")
        if isinstance(found, str):
            return found
        if found[0] == Command.ERROR or found[4] != 1:
            return "refused"
        return (found[2], found[3], *value(found[2], found[3], found[6]))

    def write(self, pv: str, data_type: int, count: int, payload: bytes) -> Answer:
        """How a write with completion ends."""
        found = self.answer(Command.WRITE_NOTIFY, pv, data_type, count, payload)
        if isinstance(found, str):
            return found
        return "done" if found[0] == Command.WRITE_NOTIFY and found[4] == 1 else "refused"

    def form_of_refusal(self, pv: str, data_type: int, count: int, payload: bytes) -> Answer:
        """The refusal itself."""
        found = self.answer(Command.WRITE_NOTIFY, pv, data_type, count, payload)
        return found if isinstance(found, str) else shown(found, self)[:3]

    def plain_write(self, pv: str, data_type: int, payload: bytes) -> Answer:
        """What comes of a write without completion that is refused."""
        self._requests += 1
        self.send(request(Command.WRITE, data_type, 1, self.channel(pv), self._requests, payload))
        found = self.awaited(lambda m: m[0] == Command.ERROR)
        return found if isinstance(found, str) else shown(found, self)[2]

    def reset(self) -> None:
        """All PVs as they were in the beginning."""
        assert self.write(RESET, LONG, 1, pack(LONG, 1)) == "done"

    def elements(self, pv: str) -> Answer:
        """The value in its own type."""
        self.channel(pv)
        found = self.read(pv, self.shapes[pv][0], 0)
        return found if isinstance(found, str) else found[-1]

    def alarm(self, pv: str) -> Answer:
        """Status and severity."""
        self.channel(pv)
        found = self.read(pv, self.shapes[pv][0] + TIME, 0)
        return found if isinstance(found, str) else found[3]

    def came(self) -> Answer:
        """What the putter got, or how the write inside of the IOC went."""
        found = self.read("came", CHAR, 0)
        if isinstance(found, str):
            return found
        return bytes(int(code) for code in found[-1]).decode("latin-1")


class Write(NamedTuple):
    """A write by a client."""

    name: str
    data_type: int
    count: int
    payload: bytes


TEXTS = ("1", "2.5", "-3", "abc", "On", "Off", "b", "MOVING", "", "nan", "1e2", "x" * 39)
WRITTEN: dict[int, tuple[float | bytes, ...]] = {
    STRING: tuple([text.encode() for text in TEXTS]),
    INT: (1, -3, 0),
    FLOAT: (1.5, -2.25),
    ENUM: (0, 1, 2, 7),
    CHAR: (0, 65),
    LONG: (0, 1, -1, 70_000, 70, 85, 200),
    DOUBLE: (0.0, 1.5, 70.0, 85.0, -85.0, 200.0, float("nan"), 1e300),
}


def writes(pv: str) -> Iterator[Write]:
    """Values of every native type: one, none, two, and more than fit."""
    for data_type, values in WRITTEN.items():
        to = f"{pv} <- {ChannelType(data_type).name}"
        for each in values:
            label = repr(each.decode()) if isinstance(each, bytes) else repr(each)
            yield Write(f"{to} {label}", data_type, 1, pack(data_type, each))
        first, second, *_ = values
        yield Write(f"{to} x0", data_type, 0, b"")
        yield Write(f"{to} x2", data_type, 2, pack(data_type, first, second))
        yield Write(f"{to} x8", data_type, 8, pack(data_type, *[first, second] * 4))
    yield Write(f"{pv} <- CHAR 'hi'", CHAR, 3, pack(CHAR, *b"hi\0"))
    yield Write(f"{pv} <- CHAR latin", CHAR, 2, pack(CHAR, 0xB5, 0x6D))
    yield Write(f"{pv} <- CHAR utf-8", CHAR, 3, pack(CHAR, 0xC2, 0xB5, 0x6D))
    yield Write(f"{pv} <- CHAR x30", CHAR, 30, pack(CHAR, *b"a" * 30))


Answers = dict[str, Answer]


def shapes(ask: Ask, pv: str) -> Answers:
    """What a client learns when it connects, and the state that every read begins with."""
    ask.channel(pv)
    return {f"{pv}: type and count": ask.shapes[pv], f"{pv}: access": ask.rights}


def reads(ask: Ask, pv: str) -> Answers:
    """Reads of every type: of all elements, of one and of more than there can be."""
    ask.channel(pv)
    return {
        f"{pv} as {ChannelType(data_type).name} {amount}": ask.read(pv, data_type, count)
        for data_type in [*range(35), ChannelType.STSACK_STRING, ChannelType.CLASS_NAME]
        for amount, count in {**AMOUNTS, "beyond": ask.shapes[pv][1] + 2}.items()
    }


def written(ask: Ask, pv: str) -> Answers:
    """Writes of every kind, each to a PV as it was in the beginning."""
    found: Answers = {}
    ask.channel(pv)
    for case in writes(pv):
        ask.reset()
        end = ask.write(pv, case.data_type, case.count, case.payload)
        # What a refused write leaves behind is what it found: a difference in that alone is one.
        found[case.name] = (end, ask.elements(pv), ask.came())
        found[f"{case.name}: alarm after {end}"] = ask.alarm(pv)
    return found


# --- what takes more than one request -------------------------------------------------------


def hooks(ask: Ask) -> Answers:
    """What putters, getters and access make of a write of 4 to a double."""
    found: Answers = {}
    for pv in ("doubled", "skipping", "skipping_too", "refusing", "warning", "fixed", "pair"):
        ask.reset()
        end = ask.write(pv, DOUBLE, 1, pack(DOUBLE, 4.0))
        found[f"{pv} <- 4"] = (end, ask.elements(pv))
        found[f"{pv} <- 4: alarm after {end}"] = ask.alarm(pv)
    found["pair <- 4: readback"] = ask.elements("pair_RBV")
    for pv in ("refusing", "fixed"):
        found[f"{pv} <- 4: reply"] = ask.form_of_refusal(pv, DOUBLE, 1, pack(DOUBLE, 4.0))
        found[f"{pv} <- 4 without completion"] = ask.plain_write(pv, DOUBLE, pack(DOUBLE, 4.0))
    ask.write("typed", DOUBLE, 1, pack(DOUBLE, 4.0))
    found["typed <- 4: type in the putter"] = ask.came()
    ask.reset()
    found["got: getter"] = [ask.elements("got") for _ in range(3)]
    ask.reset()
    ask.elements("got")
    found["got: putter after a read"] = ask.came()
    ask.reset()
    ask.write("one", DOUBLE, 1, pack(DOUBLE, 6.0))
    found["one <- 6: alarm of its own"] = ask.alarm("one")
    found["one <- 6: alarm of a sibling"] = ask.alarm("other")
    ask.reset()
    ask.write("numbers", LONG, 4, pack(LONG, 1, 2, 3, 4))
    ask.write("numbers", LONG, 2, pack(LONG, 1, 2))
    found["numbers <- too many, then good: alarm"] = ask.alarm("numbers")
    ask.reset()
    return found


def inside(ask: Ask, number: int, label: str, pv: str) -> Answers:
    """How a write from within the IOC ends, and what clients see of it."""
    ask.channel(pv)
    ask.reset()
    ask.write("inside", LONG, 1, pack(LONG, number))
    came = ask.came()
    end = "done" if str(came).startswith("done") else "refused"
    return {
        f"inside {label}": (came, ask.elements(pv)),
        f"inside {label}: alarm after {end}": ask.alarm(pv),
    }


def order_of_writes(ask: Ask) -> Answers:
    """A write that takes long, and a quick one behind it."""
    sid = ask.channel("slow")
    ask.reset()
    # In one piece, so that the second is there when the first begins.
    both = [
        request(Command.WRITE_NOTIFY, DOUBLE, 1, sid, number, pack(DOUBLE, seconds))
        for number, seconds in enumerate((0.2, 0.0))
    ]
    ask.send(b"".join(both))
    done: list[int] = []
    while len(done) < 2:
        done.append(ask.until(lambda m: m[0] == Command.WRITE_NOTIFY)[-1][5])
    return {"slow <- 0.2, slow <- 0: order of completion": done}


def events(ask: Ask, pv: str, mask: int, written: Sequence[Sequence[float | bytes]]) -> Answer:
    """What a monitor of ``mask`` shows while another client writes; the first event comes at once.

    The events of another PV, written before and behind, say when all have come.
    """
    ask.channel("number")
    ask.channel(pv)
    ask.reset()
    native = ask.shapes[pv][0]
    found: list[Answer] = []

    def subscribe(name: str, number: int, data_type: int, wanted: int) -> None:
        payload = bytes(12) + struct.pack(">HH", wanted, 0)
        ask.send(request(Command.EVENT_ADD, data_type, 0, ask.names[name], number, payload))

    def collect(fence: int) -> None:
        def is_fence(message: Raw) -> bool:
            event = message[0] == Command.EVENT_ADD and message[5] == 1
            return event and message[6][:4] == struct.pack(">i", fence)

        found.extend(
            value(message[2], message[3], message[6])[1:]
            for message in ask.until(is_fence)
            if message[0] == Command.EVENT_ADD and message[5] == 2
        )

    writer = Ask(ask.port)
    try:
        subscribe("number", 1, LONG, VALUE)
        collect(1)
        subscribe(pv, 2, native + TIME, mask)
        first = ask.until(lambda m: m[0] == Command.EVENT_ADD and m[5] == 2)[-1]
        found.append(value(first[2], first[3], first[6])[1:])
        for each in written:
            writer.write(pv, native, len(each), pack(native, *each))
        writer.write("number", LONG, 1, pack(LONG, 77))
        collect(77)
    finally:
        writer.close()
    return found


MONITORS: tuple[tuple[str, str, int, Sequence[Sequence[float | bytes]]], ...] = (
    ("values", "limited", VALUE, [[1.0], [2.0], [2.0], [70.0]]),
    ("values and alarms", "limited", VALUE | ALARM, [[1.0], [70.0], [75.0], [85.0], [1.0]]),
    ("alarms", "limited", ALARM, [[1.0], [2.0], [70.0], [85.0]]),
    ("a skipped write", "skipping", VALUE, [[3.0]]),
    ("a doubled write", "doubled", VALUE, [[3.0]]),
    ("a refused write", "refusing", VALUE, [[3.0]]),
    ("an int array", "numbers", VALUE, [[7], [], [1, 2, 3]]),
    ("a float array", "reals", VALUE, [[7.0], [1.0, 2.0, 3.0, 4.0, 5.0]]),
    ("a string array", "strings", VALUE, [[b"x"], [b"a", b"b", b"c"]]),
    ("a state", "named", VALUE | ALARM, [[2], [2], [0]]),
    ("a text", "text", VALUE, [list(b"longer"), list(b"x")]),
    ("a string", "string", VALUE, [[b"x"], [b"x"]]),
)


def monitors(port: int) -> Answers:
    """Each on a connection of its own."""
    found: Answers = {}
    for name, pv, mask, written in MONITORS:
        ask = Ask(port)
        try:
            found[f"monitor of {name}"] = events(ask, pv, mask, written)
        finally:
            ask.close()
    return found


def names(port: int) -> Answers:
    """Names that are PVs, and names that are none, each on a connection of its own."""
    found: Answers = {}
    for name in ("nobody", "limited.DESC", "limited.VAL", "limited.", "string$", "limited.{"):
        ask = Ask(port)
        try:
            ask.send(request(Command.CREATE_CHAN, p1=9, p2=13, payload=f"m:{name}\0".encode()))
            answer = ask.awaited(lambda m: m[0] in ACCESS and m[4] == 9)
            if not isinstance(answer, str):
                failed = answer[0] == Command.CREATE_CH_FAIL
                answer = "refused" if failed else (answer[2], answer[3])
            found[f"create {name}"] = answer
        finally:
            ask.close()
    return found
