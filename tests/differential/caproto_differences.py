"""Where an IOC that moved from caproto answers otherwise, on purpose. Anything else is a fault.

One row a reason. It applies to the cases whose names its patterns match as a whole, where ours does
what the row says. The page docs/how-to/move-from-caproto.md shows these rows.
"""

from collections.abc import Callable
from typing import NamedTuple

REFUSES, TAKES, OTHERWISE = "refuses", "takes", "otherwise"

INTEGERS = "(number|counted|short|numbers|shorts)"
FLOATS = "(limited|real|single|reals|singles|padded)"
ENUMS = "(flag|named|mode)"
SCALARS = "(number|counted|short|limited|real|single|flag|named|mode|string)"
ARRAYS = "(numbers|shorts|reals|singles|strings|padded)"
TEXTS = "(text|unsized|untold)"
MANY = r"(\w+ x[28]|CHAR ('hi'|latin|utf-8|x30))"


def any_answers(theirs: object, ours: object) -> bool:
    """No more is said of them than that they differ."""
    return True


def zeros_added(theirs: object, ours: object) -> bool:
    """Whether our answer is caproto's with zeros behind it."""
    if not isinstance(theirs, tuple) or not isinstance(ours, tuple):
        return False
    data_type, count, _, *beside, elements = theirs
    added = set(ours[-1][count:]) <= {"0", "0.0", b""}
    return (data_type, *beside, elements) == (ours[0], *ours[3:-1], ours[-1][:count]) and added


class Case(NamedTuple):
    """Which cases, and what ours does there."""

    pattern: str
    ours: str


def refuses(pattern: str) -> Case:
    """Ours refuses what caproto takes."""
    return Case(pattern, REFUSES)


def takes(pattern: str) -> Case:
    """Ours takes what caproto refuses or does not answer."""
    return Case(pattern, TAKES)


def otherwise(pattern: str) -> Case:
    """Both take it, or both refuse it, in different ways."""
    return Case(pattern, OTHERWISE)


class Difference(NamedTuple):
    """One deliberate difference, in words for people who move an IOC."""

    cases: tuple[Case, ...]
    caproto_does: str
    here: str
    because: str
    holds: Callable[[object, object], bool] = any_answers


DIFFERENCES = (
    # -- reads ---------------------------------------------------------------------------
    Difference(
        (otherwise(r"[\w:]+ as \w+ beyond"),),
        "a read of more elements than there are gives those that there are",
        "zeros are added up to the count that was asked for",
        "EPICS Base does, and old clients read that many whatever the reply says",
        zeros_added,
    ),
    Difference(
        (otherwise(r"[\w:]+ as CTRL_STRING \w+"),),
        "DBR_CTRL_STRING has the layout of DBR_TIME_STRING",
        "the layout of DBR_STS_STRING",
        "that is what the type is, and what libca reads",
    ),
    Difference(
        (otherwise(r"[\w:]+ as STSACK_STRING \w+"),),
        "DBR_STSACK_STRING comes without the value",
        "with the value",
        "EPICS Base sends it",
    ),
    Difference(
        (
            otherwise(r"(text|unsized|untold) as CLASS_NAME \w+"),
            takes(r"raw as CLASS_NAME \w+"),
        ),
        "no class name for texts and bytes",
        "the class name",
        "EPICS Base has one for every PV",
    ),
    Difference(
        (otherwise(rf"{TEXTS} as ((STS|TIME|GR|CTRL)_)?STRING \w+"),),
        "a `str` PV read as DBR_STRING is one string for each character",
        "one string with the text in it",
        "a text PV is for text",
    ),
    Difference(
        (otherwise(r"untold as ((STS|TIME|GR|CTRL)_)?(INT|FLOAT|ENUM|CHAR|LONG|DOUBLE) one"),),
        "one element of an empty text is none",
        "one element that is zero",
        "EPICS Base pads to the count that was asked for",
    ),
    Difference(
        (otherwise(r"(unsized|untold): type and count"),),
        "a `str` PV without `max_length` tells clients the length of its first value",
        "at least 256",
        "clients that trust the count cannot write anything longer otherwise",
    ),
    Difference(
        (otherwise(r"raw as ((STS|TIME|GR|CTRL)_)?STRING \w+"),),
        "bytes read as DBR_STRING are one character each",
        "the number of each",
        "EPICS Base does so for DBF_UCHAR",
    ),
    Difference(
        (otherwise(r"limited as ((STS|TIME|GR|CTRL)_)?STRING \w+"),),
        "a float with a precision becomes text with all its digits",
        "with as many digits as its precision says",
        "EPICS Base does so",
    ),
    # -- writes by clients ---------------------------------------------------------------
    Difference(
        (takes(rf"({SCALARS}|reported) <- {MANY}"),),
        "several elements written to a scalar are refused",
        "the first is taken",
        "EPICS Base does so",
    ),
    Difference(
        (takes(rf"{ARRAYS} <- (\w+ x8|CHAR x30)"),),
        "more elements than `max_length` are refused",
        "as many as fit are taken",
        "EPICS Base does so; a write from within the IOC is refused as before",
    ),
    Difference(
        (takes(rf"({INTEGERS}|{FLOATS}|{TEXTS}|raw|strings?|reported) <- ENUM (\d+|x\d)"),),
        "DBR_ENUM written to anything but an enum is refused",
        "it is a number, the index",
        "EPICS Base does so",
    ),
    Difference(
        (refuses(rf"({INTEGERS}|{FLOATS}) <- STRING ''"),),
        "an empty string written to a number is 0",
        "it is refused",
        "it is no number",
    ),
    Difference(
        (takes(rf"{INTEGERS} <- STRING ('(2\.5|1e2)'|x2)"),),
        "`2.5` and `1e2` written as text to an integer are refused",
        "they are read as numbers and cut to 2 and 100",
        "that is what comes of the same number written as DBR_DOUBLE",
    ),
    Difference(
        (refuses(rf"{INTEGERS} <- (DOUBLE (nan|1e\+300)|LONG 70000|STRING 'nan')"),),
        "a number that an integer cannot hold is stored as what is left of its bits",
        "it is refused",
        "a wrong value that looks like a right one is the worst answer",
    ),
    Difference(
        (refuses(r"single <- DOUBLE 1e\+300"),),
        "a number too large for a float is infinite",
        "it is refused",
        "it is not the value that was sent",
    ),
    Difference(
        (refuses(rf"{ENUMS} <- (INT|FLOAT|ENUM|CHAR|LONG|DOUBLE) .*"),),
        "an index beyond the states is taken, and every later read fails",
        "it is refused",
        "there is no such state",
    ),
    Difference(
        (takes(rf"{ENUMS} <- STRING '\d'"),),
        "the index of a state written as text is refused",
        "it is the state",
        "EPICS Base does so",
    ),
    Difference(
        (otherwise(r"strings? <- CHAR .*"),),
        "DBR_CHAR written to DBR_STRING is text",
        "each element is a number, shown as text",
        "EPICS Base does so",
    ),
    Difference(
        (refuses(r"string <- CHAR x0"),),
        "no element of DBR_CHAR written to DBR_STRING is an empty text",
        "it is refused",
        "no element is no value for a scalar",
    ),
    Difference(
        (
            takes(rf"({TEXTS}|raw) <- STRING .*"),
            otherwise(rf"({TEXTS}|raw) <- STRING .*"),
        ),
        "text written as DBR_STRING to a `str` or `bytes` PV is read as a number, or refused",
        "it is the text",
        "a text PV is for text",
    ),
    Difference(
        (
            otherwise(rf"{TEXTS} <- \w+ (0|0\.0|-.*|200|200\.0|nan|1e\+300|x\d)"),
            otherwise(rf"({TEXTS}|reported) <- CHAR latin"),
        ),
        "bytes of texts are latin-1",
        "UTF-8; what is not is read as latin-1, and sent as it came. A zero ends the text",
        'units and names are not only ASCII; `string_encoding="latin-1"` brings the other back',
    ),
    Difference(
        (takes(rf"({TEXTS}|raw) <- (INT|FLOAT|CHAR|LONG|DOUBLE) (x0|0|x[28])"),),
        "an empty text is refused",
        "it is taken",
        "a text may be empty",
    ),
    Difference(
        (otherwise(r"text <- CHAR x30"),),
        "`max_length` of a `str` or `bytes` PV is not enforced",
        "what is longer is cut when a client writes it, and refused from within the IOC",
        "clients were told the length and have no room for more",
    ),
    Difference(
        (
            otherwise(r"raw <- \w+ .*"),
            takes(r"raw <- \w+ x0: alarm after done"),
        ),
        "the putter of a `bytes` PV may get a list of numbers",
        "it always gets bytes, cut to `max_length`",
        "one PV, one type",
    ),
    Difference(
        (
            otherwise(r"\w+ <- .*: alarm after refused"),
            otherwise(r"numbers <- too many, then good: alarm"),
        ),
        "a write that limits, type or length refuse sets the WRITE alarm; an array keeps it after "
        "good writes",
        "the client is told, the PV stays as it was; only a putter that raises sets the alarm",
        "an operator's typing error is no fault of the device",
    ),
    # -- hooks ---------------------------------------------------------------------------
    Difference(
        (otherwise(r"refusing <- 4: reply"),),
        "a refused write is answered by ERROR",
        "by WRITE_NOTIFY with ECA_PUTFAIL",
        "EPICS Base does so, and clients match it to their request",
    ),
    Difference(
        (otherwise(r"fixed <- 4: reply"), otherwise(r"fixed <- 4 without completion")),
        "a write to a read-only PV fails with ECA_PUTFAIL",
        "with ECA_NOWTACCESS",
        "the client can tell that it is a matter of rights",
    ),
    Difference(
        (otherwise(r"typed <- 4: type in the putter"),),
        "a putter gets numpy scalars from clients and Python numbers from the IOC",
        "Python numbers from both",
        "one type for one thing",
    ),
    Difference(
        (otherwise(r"got: putter after a read"),),
        "what a getter returns goes through the putter",
        "it is stored",
        "a client that reads must not move what the PV stands for",
    ),
    Difference(
        (otherwise(r"warning <- 4: alarm after done"),),
        "an alarm that a putter sets is cleared when the write ends",
        "it stands",
        "the putter knows better than the limits",
    ),
    Difference(
        (otherwise(r"one <- 6: alarm of a sibling"),),
        "all PVs of a group without `alarm_group` share one alarm",
        "each has its own",
        "one PV beyond its limits is no reason to alarm on all others; name an `alarm_group` to "
        "share one",
    ),
    Difference(
        (otherwise(r"slow <- 0\.2, slow <- 0: order of completion"),),
        "writes to one PV run side by side and may finish in any order",
        "one after the other",
        "the last write a client sent is the one that must count",
    ),
    # -- names and monitors --------------------------------------------------------------
    Difference(
        (takes(r"create string\$"),),
        "`NAME$` is found with a dot only (`NAME.$`)",
        "without as well",
        "EPICS Base does so",
    ),
    Difference(
        (otherwise(r"create limited\.\{"),),
        "a filter that cannot be read gets no answer",
        "CREATE_CH_FAIL",
        "the client would wait for ever",
    ),
    Difference(
        (otherwise(r"monitor of alarms"),),
        "every change goes to every monitor, whatever its mask",
        "a monitor gets what its mask asks for",
        "EPICS Base does so",
    ),
    Difference(
        (otherwise(r"monitor of a refused write"),),
        "a refused write sends the old value to monitors of values",
        "it sends nothing to them",
        "the value has not changed",
    ),
    # -- writes from within --------------------------------------------------------------
    Difference(
        (otherwise(r"inside .*: alarm after refused"),),
        "a write from within that is refused sets the WRITE alarm",
        "it raises, and leaves the PV as it was",
        "the hook that wrote decides what it means",
    ),
    Difference(
        (otherwise(r"inside limited = 200\.0, .*verify_value.*: alarm after done"),),
        "`verify_value=False` passes by the alarm limits too",
        "it passes by control limits and putter; the alarm is that of the value",
        "clients see value and limits, and expect the alarm that belongs to them",
    ),
    Difference(
        (otherwise(r"inside number = 5\.7"),),
        "`.value` of an int PV is whatever was written",
        "what clients see",
        "one PV, one value",
    ),
    Difference(
        (refuses(r"inside (number = 'abc'|named = ('zzz'|7))"),),
        "values that do not fit the type are taken, and every later read fails",
        "`write` raises ConversionError",
        "the fault shows where it is made",
    ),
    Difference(
        (refuses(r"inside named = -1"),),
        "the state -1 is the last one",
        "`write` raises ConversionError",
        "it is no state",
    ),
    Difference(
        (refuses(r"inside text = 'longer than twenty characters'"),),
        "`max_length` of a `str` PV is not enforced",
        "`write` raises ConversionError",
        "clients were told the length and have no room for more",
    ),
    Difference(
        (otherwise(r"inside string = 'x' \* 60"),),
        "40 bytes of a longer text are sent, without a terminator",
        "39 and the terminator",
        "C clients read on until they find one",
    ),
)

FAULTS: tuple[Difference, ...] = ()
"""Where ours is wrong, until it is mended."""

WITH_NEW_NUMPY = (
    Difference(
        (refuses(r"(strings?|reported) as ((STS|TIME|GR|CTRL)_)?CHAR \w+"),),
        "text read as DBR_CHAR is refused before numpy 2.5, and characters since then",
        "refused, where it is no number",
        "EPICS Base does so",
    ),
)
"""What caproto does with some versions of numpy only."""


def as_table() -> str:
    """The differences as the page shows them."""
    rows = [f"| {row.caproto_does} | {row.here} | {row.because} |" for row in DIFFERENCES]
    return "\n".join(["| caproto | ioc_ops | because |", "|---|---|---|", *rows])
