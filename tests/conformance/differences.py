"""Where this server answers otherwise than EPICS Base, on purpose. Anything else is a fault.

One row a reason. A row applies to the cases whose name its pattern matches, and says what ours
does there: `refuses` the request and changes nothing, or `takes` it in its own way.
"""

import re
from typing import NamedTuple

REFUSES, TAKES = "refuses", "takes"

INTEGERS = "(lo|wl|ws|s1)"
FLOATS = "(ao|al|wd|wf|f1)"
TEXTS = "(so|wt)"
ENUMS = "(mb|bo)"


class Difference(NamedTuple):
    """One deliberate difference."""

    pattern: str
    ours: str
    reason: str


WRITES = (
    Difference(
        r"\w+ <- STRING x1 '(0x|0xg|7xyz|1_0|1e|12,5|1;2|)'",
        REFUSES,
        "a text that is a number only in part, or empty, is no number: Base takes the part, or 0",
    ),
    Difference(
        rf"{ENUMS} <- STRING x1 '(1e2|1e10|1e400|1e-400|1e-5|2\.5|2\.9|1\.)'",
        REFUSES,
        "a text that is no state must be an index, and an index is an integer as a whole",
    ),
    Difference(
        rf"{INTEGERS} <- STRING x1 '(1e2|\.5|1e-400|1e-5)'",
        TAKES,
        "a text is read as the number that it is, then cut to an integer: Base stops at . and e",
    ),
    Difference(
        rf"{INTEGERS} <- STRING x1 '(1e10|1e400)'",
        REFUSES,
        "the same, for numbers that the type cannot hold",
    ),
    Difference(
        rf"{INTEGERS} <- STRING x1 '010'",
        TAKES,
        "a leading zero does not make a number octal (nor does it in newer Base)",
    ),
    Difference(
        rf"{FLOATS} <- STRING x1 '1e-400'",
        TAKES,
        "what is too small for a double is 0, not an error",
    ),
    Difference(
        rf"({FLOATS}|{TEXTS}) <- (STRING|FLOAT|DOUBLE) x1 '?-?inf(inity)?'?",
        TAKES,
        "the text of infinity is not padded with blanks",
    ),
    Difference(
        r"ao <- (STRING|FLOAT|DOUBLE) x1 '?nan'?",
        TAKES,
        "a plain PV has no UDF field, so NaN is no UDF alarm",
    ),
    Difference(
        rf"{INTEGERS} <- (FLOAT|DOUBLE) x1 (nan|inf|1e\+300|10000000000\.0|1234567\.891)",
        REFUSES,
        "what an integer cannot hold is refused: Base stores what the C cast makes of it",
    ),
    Difference(
        r"(ws|s1) <- (ENUM x1 65535|LONG x1 70000)",
        REFUSES,
        "the same, from integers",
    ),
    Difference(
        rf"{ENUMS} <- (INT|FLOAT|ENUM|CHAR|LONG|DOUBLE) x1 .*",
        REFUSES,
        "an index beyond the states is refused: Base stores it and shows Illegal_Value",
    ),
    Difference(
        r"al <- \w+ x1 .*",
        REFUSES,
        "a value beyond the control limits is refused: an ao record drives to the limit instead",
    ),
    Difference(
        r"\w+ <- \w+ x0 none.*",
        REFUSES,
        "no element is no value for a scalar: Base says success and sets a LINK alarm",
    ),
    Difference(
        r"wc <- STRING .*",
        TAKES,
        "text written to bytes is its characters, as caput -S users expect: Base takes a number",
    ),
    Difference(
        rf"{TEXTS} <- (FLOAT|DOUBLE) x\d .*",
        TAKES,
        "a number written to text is its shortest form: Base shows 6 digits, or those of PREC",
    ),
    Difference(
        r"wf <- DOUBLE x1 1e\+300",
        TAKES,
        "what is too large for a float array is infinite: Base takes the largest float",
    ),
    Difference(
        r"f1 <- DOUBLE x1 1e\+300",
        REFUSES,
        "what is too large for a float is refused: Base takes the largest float",
    ),
    Difference(
        r"(wf|f1) <- \w+ x1 '?(1e10|4294967295|10000000000\.0)'?",
        TAKES,
        "FLOAT and DOUBLE become text by one rule: Base gives FLOAT an exponent from 1e7 on",
    ),
)

REQUESTS = {
    "search for an old version": "a search of any version is answered: Base closes",
    "create without a name": "an empty name fails to connect: Base does not answer",
    "client name that is not terminated": "an error: Base sends it too, and closes",
    "host name that is empty": "the same",
    "read of no channel": "an error: Base sends it too, and closes the circuit of all other PVs",
    "old read of no channel": "the same",
    "write to no channel": "the same",
    "write notify to no channel": "the same",
    "event of no channel": "the same",
    "cancel of no channel": "the same",
    "clear of no channel": "the same",
    "cancel of no subscription": "the same",
    "read after clear": "the same",
    "read of type 39": "ERROR with BADTYPE: Base closes without a word",
    "event of type 39": "the same",
    "old read of type 39": "ERROR with BADTYPE: Base sends it too, and closes",
    "write of type 39": "the same",
    "write notify of type 39": "a reply with BADTYPE: Base sends it too, and closes",
    "event with an empty mask": "ERROR with BADMASK: Base sends ALLOCMEM and closes",
    "event with a number in use": "ERROR with BADMASK: Base delivers both under one number",
    "old read of no elements": "all elements, as for READ_NOTIFY: Base sends none",
    "old read of a string": "all 40 bytes: Base cuts the payload behind the terminator",
    "write notify of fewer bytes than the count": "PUTFAIL: Base reads beyond the message's end",
}


def reason_for(name: str, ours: str) -> Difference | None:
    """The row that explains why `ours` differs in a write of this name."""
    for row in WRITES:
        if row.ours == ours and re.fullmatch(row.pattern, name):
            return row
    return None
