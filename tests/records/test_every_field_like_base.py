"""Every visible field of every record type: what a client is told when it connects and reads."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from every_record import TYPES, database
from record_client import RecordClient
from record_script import plain
from record_servers import Ports

from ioc_ops.ca import ChannelType
from ioc_ops.records import fields_of


class Difference(NamedTuple):
    """Where ours answers otherwise on purpose: which facts of which fields."""

    fields: str
    facts: str
    reason: str


DIFFERENCES = (
    Difference(
        r"\w+\.(UDF|STAT|SEVR)",
        "value|text",
        "a PV that is declared has a value: it is not undefined until somebody writes it",
    ),
    Difference(
        r"\w+\.RTYP",
        "rights",
        "Base offers to write the record type and refuses it then; ours says so at once",
    ),
    Difference(
        r"(lsi|lso|printf)\.VAL",
        "native|count|text|control",
        "text is shown whole without asking for $, as characters",
    ),
    Difference(
        r"sel\.VAL", "rights", "what clients may write to VAL is for the declaration to say"
    ),
    Difference(
        r"(lsi|lso|printf)\.LEN", "value|text", "of an empty text as Base has it after a write: 1"
    ),
    Difference(r"\w+\.DTYP", "text", "the text of a choice that a menu does not have is its index"),
    Difference(
        r"\w+\.(PHAS|TSE|DISV|DISA|DISP|PROC|LCNT|PACT|PUTF|RPRO|TPRO|UDF|UTAG)",
        "control",
        "16 record types of Base tell no ranges of the fields that all have; ours all tell them",
    ),
    Difference(
        r"(aSub|seq)\.VAL", "control", "VAL shows the ranges that are declared, not its type's"
    ),
    Difference(
        r"int64(in|out)\.VAL", "control", "limits that are not in force show as NaN, never as 0"
    ),
    Difference(
        r"subArray\.INDX", "control", "the largest index is for the IOC to say, who uses it"
    ),
    Difference(
        r"sel\.[A-L]", "value|text", "inputs of sel that are not linked are 0: the IOC computes VAL"
    ),
    Difference(r"(ai|ao)\.INIT|seq\.OLDN|sub\.PACT", "value|text", "counters of Base's own work"),
    Difference(r"ls[io]\.OVAL", "value", "the text before is not kept"),
)


def facts(client: RecordClient, name: str) -> dict[str, Any]:
    channel = client.open(name)
    read, control = client.read(name), client.control(name)
    text = client.read(name, ChannelType.STRING, 1)
    extras = control.extras
    return {
        "native": channel.native,
        "count": channel.count,
        "rights": channel.rights,
        "value": [plain(value) for value in read.values],
        "states": extras.states,
        "control": (extras.units, extras.precision, *[plain(float(n)) for n in extras.limits]),
        # Without a declared precision a number is written so that it reads back the same, and
        # Base rounds it to 0 or 6 digits.
        "text": [
            plain(float(t)) if t and channel.native == ChannelType.DOUBLE else t
            for t in text.values
        ],
    }


def intended(field: str, fact: str) -> set[Difference]:
    return {
        known
        for known in DIFFERENCES
        if re.fullmatch(known.fields, field) and re.fullmatch(known.facts, fact)
    }


@pytest.fixture(scope="module")
def ports(serve: Callable[..., Ports]) -> Ports:
    return serve("every_record", database(), "every_record")


def test_every_field_says_what_it_says_in_base(clients: tuple[RecordClient, RecordClient]) -> None:
    base, ours = clients
    wrong: list[str] = []
    met: set[Difference] = set()
    for field in (f"{record}.{field}" for record in TYPES for field in fields_of(record)):
        theirs, own = facts(base, f"R:{field}"), facts(ours, f"R:{field}")
        for fact in (fact for fact in theirs if own[fact] != theirs[fact]):
            reasons = intended(field, fact)
            met |= reasons
            if not reasons:
                wrong.append(f"{field}: {fact} is {own[fact]!r}, in Base {theirs[fact]!r}")
    assert not wrong, "\n".join(wrong)
    assert not set(DIFFERENCES) - met  # a difference that is gone leaves the list
