"""What connected clients hear of their rights, and what they can still do."""

import logging
from collections.abc import Callable

import pytest
from access_bench import SecuredBench, events_in, rights_in
from circuit_bench import clear, event, read, values, write

from ioc_ops.ca import Command, Eca
from ioc_ops.channel import AccessRights, AlarmSeverity, ChannelDouble, ChannelEnum, ChannelString
from ioc_ops.errors import ConfigurationError, DefinitionError
from ioc_ops.group import PVGroup, PVSpec, pvproperty
from ioc_ops.server.access import AccessFile

DOUBLE = 6
NOTHING, READ, WRITE = 0, 1, 3

RULES = """
UAG(ops) {op}
HAG(rooms) {Console}
ASG(DEFAULT) { RULE(0, READ) RULE(1, WRITE) { UAG(ops) HAG(rooms) } }
ASG(GUARDED) {
    INPA($(P)gate)
    RULE(1, READ) { CALC("A>=1") }
    RULE(1, WRITE) { CALC("A>=2") UAG(ops) }
}
ASG(SHUT)
"""

Secured = Callable[..., SecuredBench]


def pv(name: str, asg: str = "DEFAULT", asl: int = 0, value: float = 0.0) -> ChannelDouble:
    made = ChannelDouble(value, name=name)
    made.asg, made.asl = asg, asl
    return made


def gate(value: float = 0.0) -> ChannelDouble:
    return pv("p:gate", value=value)


def with_rules(secured: Secured, *channels: ChannelDouble) -> SecuredBench:
    return secured(RULES, *channels, macros={"P": "p:"})


@pytest.mark.parametrize(
    ("user", "host", "asl", "rights"),
    [
        ("op", "console", 0, WRITE),
        ("op", "CONSOLE", 1, WRITE),
        ("OP", "console", 0, READ),
        ("guest", "console", 0, READ),
        ("guest", "console", 1, NOTHING),
        ("op", "office", 0, READ),
        ("", "", 1, NOTHING),
    ],
)
def test_a_client_is_told_its_rights_when_it_connects(
    secured: Secured, user: str, host: str, asl: int, rights: int
) -> None:
    bench = with_rules(secured, pv("x", asl=asl))
    assert bench.client("x", user=user, host=host).first_rights == {100: rights}


def test_without_a_file_pvs_decide_for_themselves(secured: Secured) -> None:
    assert secured(None, pv("x", "SHUT")).client("x").first_rights == {100: WRITE}


class OperatorsOnly(ChannelDouble):
    def check_access(self, hostname: str, username: str) -> AccessRights:
        return AccessRights.READ_WRITE if username == "op" else AccessRights.READ


class Broken(ChannelDouble):
    def check_access(self, hostname: str, username: str) -> AccessRights:
        raise RuntimeError("no answer")


def test_the_stricter_of_pv_and_rules_counts(secured: Secured) -> None:
    own = OperatorsOnly(0.0, name="x")
    shut = OperatorsOnly(0.0, name="y")
    shut.asg = "SHUT"
    anybody = "ASG(DEFAULT) { RULE(1, WRITE) } ASG(SHUT)"
    bench = secured(anybody, own, shut)
    assert bench.client("x", "y").first_rights == {100: WRITE, 101: NOTHING}
    assert bench.client("x", "y", user="me").first_rights == {100: READ, 101: NOTHING}


def test_a_pv_that_cannot_decide_gives_no_access(
    secured: Secured, caplog: pytest.LogCaptureFixture
) -> None:
    assert secured(None, Broken(0.0, name="x")).client("x").first_rights == {100: NOTHING}
    assert "x: check_access failed: no access" in caplog.text


def test_what_is_not_allowed_is_refused_and_counted(secured: Secured) -> None:
    bench = with_rules(secured, pv("x", "SHUT"))
    client = bench.client("x")
    got = client.ask_one(read(1, DOUBLE))
    assert (got.header.parameter1, values(got)) == (Eca.NORDACCESS, [0.0])
    put = client.ask_one(write(1, DOUBLE, bytes(8)))
    assert put.header.parameter1 == Eca.NOWTACCESS
    assert events_in(client.ask(event(1, 7, DOUBLE))) == [(7, Eca.NORDACCESS)]
    assert bench.context.counters.access_denied == 3
    bench.pvdb["x"].assign(5.0)
    assert client.replies() == []  # one event says it, changes do not


# --- inputs -----------------------------------------------------------------------------------


def test_an_input_that_changes_changes_rights(secured: Secured) -> None:
    bench = with_rules(secured, gate(), pv("x", "GUARDED"))
    client = bench.client("x", "p:gate")
    guest = bench.client("x", user="guest")
    assert client.first_rights == {100: NOTHING, 101: WRITE}
    bench.pvdb["p:gate"].assign(1.0)
    assert rights_in(client.replies()) == {100: READ}
    assert rights_in(guest.replies()) == {100: READ}
    bench.pvdb["p:gate"].assign(1.0)
    assert client.replies() == []  # no rule has turned
    client.ask(write(2, DOUBLE, bytes.fromhex("4000000000000000")))  # 2.0, by the client itself
    assert bench.pvdb["p:gate"].value == 2.0
    assert rights_in(guest.replies()) == {}  # CALC gives writing to operators only
    put = client.ask_one(write(1, DOUBLE, bytes(8)))
    assert put.header.parameter1 == Eca.NORMAL


def test_rights_change_before_the_write_that_changed_them_is_answered(secured: Secured) -> None:
    bench = with_rules(secured, gate(), pv("x", "GUARDED"))
    client = bench.client("x", "p:gate")
    messages = client.ask(write(2, DOUBLE, bytes.fromhex("4000000000000000")))
    assert [m.header.command for m in messages] == [Command.ACCESS_RIGHTS, Command.WRITE_NOTIFY]
    assert rights_in(messages) == {100: WRITE}


def test_an_invalid_input_holds_no_calc_true(secured: Secured) -> None:
    bench = with_rules(secured, gate(2.0), pv("x", "GUARDED"))
    client = bench.client("x")
    assert client.first_rights == {100: WRITE}
    bench.pvdb["p:gate"].alarm.change(17, AlarmSeverity.INVALID_ALARM)
    assert rights_in(client.replies()) == {100: NOTHING}
    bench.pvdb["p:gate"].alarm.change(0, AlarmSeverity.NO_ALARM)
    assert rights_in(client.replies()) == {100: WRITE}


def test_an_input_that_is_not_there_holds_no_calc_true(
    secured: Secured, caplog: pytest.LogCaptureFixture
) -> None:
    bench = with_rules(secured, pv("x", "GUARDED"))
    assert "access rules of ASG GUARDED: there is no PV p:gate" in caplog.text
    client = bench.client("x")
    assert client.first_rights == {100: NOTHING}
    bench.pvdb["p:gate"] = gate(1.0)
    bench.context.access.poll()
    assert rights_in(client.replies()) == {100: READ}
    old = bench.pvdb.pop("p:gate")
    bench.context.access.poll()
    assert rights_in(client.replies()) == {100: NOTHING}
    old.assign(2.0)
    assert client.replies() == []
    assert not old.feeds


def test_inputs_may_be_states_numbers_in_text_and_fields(secured: Secured) -> None:
    acf = """
    ASG(E) { INPA(e) RULE(1, READ) { CALC("A=1") } }
    ASG(S) { INPA(s) RULE(1, READ) { CALC("A=2.5") } }
    ASG(F) { INPA(e.VAL) RULE(1, READ) { CALC("A=1") } }
    """
    states = ChannelEnum("Off", enum_strings=("Off", "On"), name="e")
    text = ChannelString("2.5", name="s")
    bench = secured(acf, states, text, pv("xe", "E"), pv("xs", "S"), pv("xf", "F"))
    client = bench.client("xe", "xs", "xf")
    assert client.first_rights == {100: NOTHING, 101: READ, 102: NOTHING}
    states.assign(states.convert("On"))
    assert rights_in(client.replies()) == {100: READ, 102: READ}
    text.assign(text.convert("no number"))
    assert rights_in(client.replies()) == {101: NOTHING}


# --- monitors ---------------------------------------------------------------------------------


def test_a_monitor_that_may_read_no_more_gets_one_event_and_then_nothing(secured: Secured) -> None:
    bench = with_rules(secured, gate(1.0), pv("x", "GUARDED"))
    client = bench.client("x", "x")
    # Two subscriptions of one channel, one of another channel to the same PV, all sharing.
    client.ask(event(1, 7, DOUBLE) + event(1, 8, DOUBLE) + event(2, 9, DOUBLE))
    bench.pvdb["p:gate"].assign(0.0)
    messages = client.replies()
    assert rights_in(messages) == {100: NOTHING, 101: NOTHING}
    assert sorted(events_in(messages)) == [(s, Eca.NORDACCESS) for s in (7, 8, 9)]
    assert all(values(m) == [0.0] for m in messages if m.header.command == Command.EVENT_ADD)
    bench.pvdb["x"].assign(3.0)
    assert client.replies() == []
    bench.pvdb["p:gate"].assign(1.0)
    messages = client.replies()
    assert rights_in(messages) == {100: READ, 101: READ}
    assert sorted(events_in(messages)) == [(s, Eca.NORMAL) for s in (7, 8, 9)]
    assert all(values(m) == [3.0] for m in messages if m.header.command == Command.EVENT_ADD)
    bench.pvdb["x"].assign(4.0)
    assert len(client.replies()) == 3


def test_a_monitor_without_rights_ends_like_any_other(secured: Secured) -> None:
    bench = with_rules(secured, gate(1.0), pv("x", "GUARDED"))
    client = bench.client("x")
    client.ask(event(1, 7, DOUBLE))
    bench.pvdb["p:gate"].assign(0.0)
    client.ask(clear(1, 100))
    assert not bench.pvdb["x"].feeds


def test_a_read_that_was_remembered_is_refused_once_it_is_not_allowed(secured: Secured) -> None:
    bench = with_rules(secured, gate(1.0), pv("x", "GUARDED"))
    client = bench.client("x")
    for _ in range(3):
        assert client.ask_one(read(1, DOUBLE)).header.parameter1 == Eca.NORMAL
    bench.pvdb["p:gate"].assign(0.0)
    client.replies()
    assert client.ask_one(read(1, DOUBLE)).header.parameter1 == Eca.NORDACCESS


# --- groups of PVs and other rules at run time --------------------------------------------------


def test_a_pv_that_changes_its_group_changes_rights(secured: Secured) -> None:
    bench = with_rules(secured, pv("x"), pv("y"))
    client = bench.client("x", "y")
    bench.pvdb["x"].asg = "SHUT"
    assert rights_in(client.replies()) == {100: NOTHING}
    bench.pvdb["x"].asg = "NOT IN THE FILE"  # and so in DEFAULT
    assert rights_in(client.replies()) == {100: WRITE}


def test_other_rules_count_at_once(secured: Secured) -> None:
    bench = with_rules(secured, gate(2.0), pv("x", "GUARDED"), pv("y"))
    client = bench.client("x", "y")
    bench.path.write_text("ASG(GUARDED) { RULE(1, READ) } ASG(DEFAULT) { RULE(1, WRITE) }")
    bench.context.reload_access()
    assert rights_in(client.replies()) == {100: READ}
    bench.pvdb["p:gate"].assign(0.0)  # is no input any more
    assert client.replies() == []
    assert not bench.pvdb["p:gate"].feeds


@pytest.mark.parametrize(
    ("text", "problem"),
    [("ASG(", ":1: name of the ASG expected, found end of the file"), (None, ": No such file")],
)
def test_rules_that_are_wrong_change_nothing(
    secured: Secured, text: str | None, problem: str
) -> None:
    bench = with_rules(secured, gate(1.0), pv("x", "GUARDED"))
    client = bench.client("x")
    if text is None:
        bench.path.unlink()
    else:
        bench.path.write_text(text)
    with pytest.raises(ConfigurationError, match=f"rules.acf{problem}"):
        bench.context.reload_access()
    assert client.replies() == []
    bench.pvdb["p:gate"].assign(2.0)  # the old rules are in force
    assert rights_in(client.replies()) == {100: WRITE}


def test_there_must_be_rules_to_read_anew(secured: Secured) -> None:
    with pytest.raises(ConfigurationError, match="started without --acf"):
        secured(None, pv("x")).context.reload_access()


def test_what_the_file_says_beyond_this_version_is_logged(
    secured: Secured, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "ioc_ops.access"):
        secured("AUTHORITY(x) ASG(DEFAULT) { RULE(1, READ) }", pv("x"))
    assert "rules.acf:1: 'AUTHORITY' is not known and left out" in caplog.text


def test_bytes_that_are_no_utf8_match_no_client(secured: Secured) -> None:
    bench = secured(None, pv("x"))
    bench.path.write_bytes(b'UAG(u) {"\xe9"} ASG(DEFAULT) { RULE(1, READ) { UAG(u) } }')
    bench.context.access.use_file(AccessFile(bench.path))
    assert bench.client("x", user="\ufffd").first_rights == {100: NOTHING}


def test_hosts_by_address_do_not_believe_the_client(secured: Secured) -> None:
    acf = "HAG(h) {console} ASG(DEFAULT) { RULE(1, READ) { HAG(h) } }"
    bench = secured(acf, pv("x"), resolve={"console": "10.1.1.1"}.__getitem__)
    true, false = "10.1.1.1:5000", "10.1.1.2:5000"
    assert bench.client("x", host="office", address=true).first_rights == {100: READ}
    assert bench.client("x", host="10.1.1.1", address=false).first_rights == {100: NOTHING}


# --- where a PV says its group ------------------------------------------------------------------


class Guarded(PVGroup):
    plain = pvproperty(value=0.0)
    shut = pvproperty(value=0.0, asg="SHUT")
    deep = pvproperty(value=0.0, asl=1)
    fields = pvproperty(value=0.0, record="ao", asg="SHUT")


def test_a_declaration_says_group_and_level(secured: Secured) -> None:
    group = Guarded("g:")
    assert [(c.asg, c.asl) for c in group.pvdb.values()] == [
        ("DEFAULT", 0),
        ("SHUT", 0),
        ("DEFAULT", 1),
        ("SHUT", 0),
    ]
    bench = with_rules(secured, *group.pvdb.values())
    client = bench.client("g:plain", "g:shut", "g:deep", user="guest")
    assert client.first_rights == {100: READ, 101: NOTHING, 102: NOTHING}


def test_fields_are_in_the_group_of_their_record(secured: Secured) -> None:
    group = Guarded("g:")
    bench = with_rules(secured, *group.pvdb.values())
    client = bench.client("g:fields.EGU", "g:fields.DESC")
    assert client.first_rights == {100: NOTHING, 101: NOTHING}
    group.fields.asg = "DEFAULT"
    assert rights_in(client.replies()) == {100: WRITE, 101: WRITE}


def test_a_level_is_0_or_1() -> None:
    with pytest.raises(DefinitionError, match="x: asl is 0 or 1, not 2"):
        PVSpec(name="x", asl=2)
