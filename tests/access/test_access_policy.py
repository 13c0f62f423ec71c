"""Who may do what, against `asLib` of EPICS Base with the same rules, inputs and clients."""

import base_security as base
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ioc_ops.channel import AccessRights
from ioc_ops.server.access.rules import Policy, parse_acf

USERS = ["ann", "bob", "Ann", ""]
HOSTS = ["console", "CONSOLE", "Beamline-9.site", "10.0.0.1", ""]
RIGHTS = {0: AccessRights.NO_ACCESS, 1: AccessRights.READ, 2: AccessRights.READ_WRITE}
CALCS = ["A=1", "A", "B", "A+B", "A&&!B", "C", "A+C=1", "1", "VAL=0&&A", "A/B", "A?B:2", "0.995*A"]

LISTS = """
UAG(anns) {ann}
UAG(all) {ann, bob}
UAG(none)
HAG(consoles) {Console}
HAG(many) {beamline-9.SITE, 10.0.0.1}
"""

CONDITIONS = st.lists(
    st.one_of(
        st.sampled_from(["UAG(anns)", "UAG(all, none)", "UAG(none)", "UAG(anns) UAG(all)"]),
        st.sampled_from(["HAG(consoles)", "HAG(consoles, many)", "HAG(many)"]),
        st.sampled_from([f'CALC("{text}")' for text in CALCS]),
        st.sampled_from(['METHOD("x509")', "FUTURE(1) { AS(2) }"]),
    ),
    max_size=3,
).map(lambda found: f"{{ {' '.join(found)} }}" if found else "")
RULES = st.builds(
    "RULE({}, {}{}) {}".format,
    st.integers(0, 2),
    st.sampled_from(["NONE", "READ", "WRITE"]),
    st.sampled_from(["", ", TRAPWRITE", ", NOTRAPWRITE"]),
    CONDITIONS,
)
BODIES = st.lists(RULES, max_size=4).map(
    lambda rules: "{ INPA(pv:a) INPB(pv:b) " + " ".join(rules) + " }"
)
CLIENTS = [(user, host, asl) for user in USERS for host in HOSTS for asl in (0, 1)]
VALUES = st.sampled_from([0.0, 1.0, 0.995, 1.02, 2.0, -1.0, None])
EVENTS = st.lists(st.tuples(st.integers(0, 1), VALUES), max_size=5)


def decisions(policy: Policy) -> list[tuple[AccessRights, bool]]:
    return [
        (rights, trapped if rights else False)
        for asg in ("X", "DEFAULT", "elsewhere")
        for user, host, asl in CLIENTS
        for rights, trapped in [policy.decide(asg, asl, host, user)]
    ]


def decisions_of_base() -> list[tuple[AccessRights, bool]]:
    return [
        (RIGHTS[access], trapped)
        for asg in ("X", "DEFAULT", "elsewhere")
        for user, host, asl in CLIENTS
        for access, trapped in [base.decide(asg, asl, host, user)]
    ]


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(BODIES, BODIES, EVENTS)
def test_clients_may_do_what_base_lets_them(
    first: str, second: str, events: list[tuple[int, float | None]]
) -> None:
    text = f"{LISTS} ASG(X) {first} ASG(DEFAULT) {second}"
    assert base.load(text)
    policy = Policy(parse_acf(text))
    assert decisions(policy) == decisions_of_base()
    for index, value in events:
        for asg in ("X", "DEFAULT"):
            before = decisions(policy)
            turned = policy.set_input(asg, index, value)
            base.set_input(asg, index, value)
            # What it says about changes is what clients are told by.
            assert turned or decisions(policy) == before
    assert decisions(policy) == decisions_of_base()


def test_without_default_rules_nobody_may_do_anything() -> None:
    policy = Policy(parse_acf("UAG(a)"))
    assert policy.decide("DEFAULT", 0, "h", "u") == (AccessRights.NO_ACCESS, False)
    assert policy.decide("OTHER", 0, "h", "u") == (AccessRights.NO_ACCESS, False)


def test_a_rule_that_is_left_out_changes_no_other() -> None:
    # Base 7.0.10 gives the conditions of RULE(1, RPC) to the rule before it.
    text = "UAG(a) {ann} ASG(DEFAULT) { RULE(1, READ) RULE(1, RPC) { UAG(a) } }"
    assert base.load(text)
    assert base.decide("DEFAULT", 0, "h", "bob") == (0, False)
    assert Policy(parse_acf(text)).decide("DEFAULT", 0, "h", "bob").rights == AccessRights.READ


def test_only_ascii_letters_of_hosts_have_two_cases() -> None:
    policy = Policy(parse_acf("HAG(h) {konsole} ASG(DEFAULT) { RULE(1, READ) { HAG(h) } }"))
    assert policy.decide("DEFAULT", 0, "KONSOLE", "u").rights == AccessRights.READ
    assert not policy.decide("DEFAULT", 0, "\u212aonsole", "u").rights  # the Kelvin sign


# --- hosts by address -----------------------------------------------------------------------

ADDRESSES = {"console": "10.0.0.5", "10.0.0.6": "10.0.0.6"}


def resolve(host: str) -> str:
    if host not in ADDRESSES:
        raise OSError(f"no such host {host}")
    return ADDRESSES[host]


@pytest.mark.parametrize(
    ("host", "rights"),
    [
        ("10.0.0.5", AccessRights.READ),
        ("10.0.0.6", AccessRights.READ),
        ("10.0.0.7", AccessRights.NO_ACCESS),
        ("console", AccessRights.NO_ACCESS),
        ("gone", AccessRights.NO_ACCESS),
    ],
)
def test_hosts_are_compared_by_address(host: str, rights: AccessRights) -> None:
    text = "HAG(h) {console, 10.0.0.6, gone} ASG(DEFAULT) { RULE(1, READ) { HAG(h) } }"
    policy = Policy(parse_acf(text), resolve=resolve)
    assert policy.by_address
    assert policy.decide("DEFAULT", 0, host, "u").rights == rights
    assert policy.warnings == ["host 'gone' of a HAG has no address and never matches"]
