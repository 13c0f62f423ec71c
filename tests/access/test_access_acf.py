"""Access configuration files: what is one, what is said about one that is none, macros."""

import base_security as base
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ioc_ops.channel import AccessRights
from ioc_ops.errors import ConfigurationError
from ioc_ops.server.access.rules import AccessConfiguration, AccessGroup, parse_acf, parse_macros
from ioc_ops.server.access.rules.tokens import expand

FILE = """\
# Who is who
UAG(ops) {ann, "bob smith"}
UAG(nobody)
HAG(control) {console1, 10.0.0.1, Console-2.site.example}
ASG(DEFAULT) {
    RULE(1, READ)
    RULE(1, WRITE, TRAPWRITE) { UAG(ops) HAG(control) }
}
ASG(LOCKED) {
    INPA($(P)locked) INPB("$(P)mode.SEVR")
    RULE(0, NONE)
    RULE(0, WRITE, NOTRAPWRITE) {
        CALC("A=0 && B<2")   # not while it is locked
        UAG(ops, nobody)
    }
}
ASG(EMPTY)
"""


def accepted(text: str) -> bool:
    try:
        parse_acf(text)
    except ConfigurationError:
        return False
    return True


def test_a_whole_file() -> None:
    found = parse_acf(FILE, macros={"P": "dev:"})
    assert found.users == {"ops": ("ann", "bob smith"), "nobody": ()}
    assert found.hosts == {"control": ("console1", "10.0.0.1", "Console-2.site.example")}
    assert list(found.groups) == ["DEFAULT", "LOCKED", "EMPTY"]
    assert found.groups["EMPTY"] == AccessGroup()
    reading, writing = found.groups["DEFAULT"].rules
    assert (reading.level, reading.rights, reading.trap) == (1, AccessRights.READ, False)
    assert (writing.rights, writing.trap) == (AccessRights.READ_WRITE, True)
    assert (writing.users, writing.hosts, writing.calc) == (("ops",), ("control",), None)
    locked = found.groups["LOCKED"]
    assert locked.inputs == {0: "dev:locked", 1: "dev:mode.SEVR"}
    none, free = locked.rules
    assert none.rights == AccessRights.NO_ACCESS
    assert free.users == ("ops", "nobody")
    assert free.calc is not None
    assert free.calc.text == "A=0 && B<2"
    assert found.warnings == ()


# What is in doubt, decided by the oracle.
CASES = """\


# nothing but a comment
UAG(a)
UAG(a){}
UAG(a){b,c}
UAG(a){b,}
UAG(a){,b}
UAG(a){b c}
UAG(a) UAG(a)
UAG(a) HAG(a)
UAG(5){a}
UAG(5a){a}
UAG(){a}
UAG(a,b){c}
UAG(""){b}
UAG(a){"x y"}
UAG(a){'x'}
UAG(a){b}\f
UAG(a){5.5}
UAG(a){.5}
UAG(a){5.}
UAG(a){-}
UAG(a){1e5}
UAG(a){1.5e5}
UAG(a){10.0.0.1}
UAG(a){[b]<c>;}
UAG(a){UAG}
UAG(a){INPA}
UAG(a){INPV}
UAG(a){INPAA}
UAG("a\\"b"){c}
UAG("a\\
UAG("a
UAG(a){b}"
UAG(a);
UAG a
uag(a)
HAG(h){a,b} HAG(h2){a}
UAG(u){a,a}
ASG(X)
ASG(X){}
ASG(X) ASG(X)
ASG(DEFAULT) ASG(DEFAULT)
ASG(DEFAULT) ASG(DEFAULT){RULE(1,READ)}
ASG(DEFAULT){RULE(1,READ)} ASG(DEFAULT)
ASG(DEFAULT){INPA(x)} ASG(DEFAULT)
ASG(UAG)
ASG("UAG")
ASG(X){RULE(1,READ)
ASG(X){RULE(1)}
ASG(X){RULE(READ,1)}
ASG(X){RULE(1,READ)}}
ASG(X){RULE(1,"READ")}
ASG(X){RULE(1,read)}
ASG(X){RULE(1,RPC)}
ASG(X){RULE(1,RPC,FOO)}
ASG(X){RULE(-1,READ)}
ASG(X){RULE(+1,READ)}
ASG(X){RULE(1.5,READ)}
ASG(X){RULE(99999,READ)}
ASG(X){RULE(1,READ,FOO)}
ASG(X){RULE(1,READ,TRAPWRITE,TRAPWRITE)}
ASG(X){RULE(1,READ){}}
ASG(X){RULE(1,READ){UAG(nope)}}
ASG(X){RULE(1,READ){UAG(later)}} UAG(later)
UAG(u) ASG(X){RULE(1,READ){UAG()}}
UAG(u) ASG(X){RULE(1,READ){UAG(u,)}}
UAG(u) ASG(X){RULE(1,READ){UAG(u,u)}}
UAG(u) ASG(X){RULE(1,READ){HAG(u)}}
ASG(X){RULE(1,READ){CALC("A+")}}
ASG(X){RULE(1,READ){CALC("A:=1;A")}}
ASG(X){RULE(1,READ){CALC(A)}}
ASG(X){RULE(1,READ){CALC(1)}}
ASG(X){RULE(1,READ){CALC("1","2")}}
ASG(X){RULE(1,READ){CALC("A") CALC("B")}}
ASG(X){RULE(1,READ){METHOD("x", "y")}}
ASG(X){RULE(1,READ){METHOD(x) UAG(nope)}}
ASG(X){RULE(1,READ){METHOD}}
ASG(X){RULE(1,READ){FOO(1){BAR(2)}}}
ASG(X){RULE(1,READ){FOO(1){BAR}}}
ASG(X){RULE(1,READ){FOO(1){a}{b,c}}}
ASG(X){RULE(1,READ){ASG(z)}}
ASG(X){RULE(1,READ){INPA(z)}}
ASG(X){RULE(1,READ){5(z)}}
ASG(X){FOO(1)}
ASG(X){UAG(u)}
ASG(X){INPA(a) INPA(b)}
ASG(X){INPA(a) RULE(1,READ) INPB(b)}
ASG(X){INPU(a)}
ASG(X){INPV(a)}
ASG(X){INPa(a)}
ASG(X){INPA(5)}
ASG(X){INPA(a){b}}
FOO
FOO()
FOO(ASG,1,-2.5,"x",INPB)
FOO(a,)
FOO(a,b){c}
FOO(a){}
FOO(a){b}{c,d}
FOO(a){b}{c}
FOO(a){b,c}{d,e}
FOO(a){b}{c,d}{e,f}
FOO(a){b()}
FOO(a){b(){c,d} UAG(e) RULE(f){g}}
FOO(a){b() c}
FOO(a){5()}
FOO(a){b{c}}
5(a)
RULE(1,READ)
INPA(x)
"UAG"(a){b}
"UAG"(a){b} UAG(a)
AUTHORITY(x, "y") { AUTHORITY(z, "w") }
""".split("\n")


@pytest.mark.parametrize("text", CASES)
def test_base_accepts_and_refuses_the_same(text: str) -> None:
    assert accepted(text) == base.load(text)


KEYWORDS = ["UAG", "HAG", "ASG", "RULE", "CALC", "INPA", "INPU", "(", ")", "{", "}", ",", "(a)"]
NAMES = [
    "DEFAULT",
    "X",
    "a",
    '"q s"',
    "1",
    "-1",
    "2.5",
    "READ",
    "WRITE",
    "NONE",
    "TRAPWRITE",
    "RPC",
]
PIECES = ["{b,c}", "RULE(1,READ)", 'CALC("A=1")', "UAG(a)", "INPB(pv)", "FOO(1)", "\n", "# c\n"]
WORDS = st.sampled_from([*KEYWORDS, *NAMES, *PIECES, "'", '"', "\\"])


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """The file with some of its words replaced, left out or doubled."""
    words = FILE.replace("$(P)", "p:").replace("(", " ( ").replace(")", " ) ").split(" ")
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(words) - 1))
        words[at : at + draw(st.integers(0, 2))] = draw(st.lists(WORDS, max_size=2))
    return " ".join(words)


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(damaged() | st.lists(WORDS, max_size=12).map(" ".join))
def test_a_file_with_damage_is_judged_as_base_judges_it(text: str) -> None:
    assert accepted(text) == base.load(text)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(st.text(max_size=60) | st.lists(WORDS | st.just("$("), max_size=20).map("".join))
def test_any_text_is_a_file_or_a_readable_error(text: str) -> None:
    try:
        assert isinstance(parse_acf(text, file="f.acf"), AccessConfiguration)
    except ConfigurationError as problem:
        said = str(problem)
    else:
        return
    place, line, reason = said.split(":", 2)
    assert place == "f.acf"
    assert 1 <= int(line) <= text.count("\n") + 1
    assert reason.strip()
    assert "\n" not in said


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1: the file is empty"),
        ("\n# x\n", "3: the file is empty"),
        ("USERS", "1: '(' expected, found end of the file"),
        ("\nRULE(1, READ)", "2: UAG, HAG or ASG expected, found 'RULE'"),
        ("UAG(ops) {\n  ann\n  bob\n}", "3: ',' or '}' expected, found 'bob'"),
        ("UAG(ops) {ann,\n}", "2: name of a user expected, found '}'"),
        ("HAG(h) {5}", "1: name of a host expected, found '5'"),
        ("UAG(5)", "1: name of the UAG expected, found '5'"),
        ("UAG(a)\nUAG(a)", "2: there is a UAG 'a' already"),
        ("ASG(a)\nASG(a)", "2: there is an ASG 'a' already"),
        ('UAG("a', "1: a quoted name is not closed"),
        ("UAG(a) {'b'}", '1: invalid character "\'"'),
        ("ASG(a) {\n}", "2: RULE or INPA ... INPU expected, found '}'"),
        ("ASG(a) { UAG(b) }", "1: RULE or INPA ... INPU expected, found 'UAG'"),
        ("ASG(a) {\nRULE(x, READ)}", "2: access level of the rule expected, found 'x'"),
        (
            "ASG(a) {RULE(-1, READ)}",
            "1: access level '-1' of the rule is no whole number from 0 on",
        ),
        ("ASG(a) {RULE(1, )}", "1: NONE, READ or WRITE expected, found ')'"),
        ("ASG(a) {RULE(1, READ, LOG)}", "1: TRAPWRITE or NOTRAPWRITE expected, found 'LOG'"),
        ("ASG(a) {RULE(1, READ) {\nUAG(b)}}", "2: there is no UAG 'b' above"),
        ("ASG(a) {RULE(1, READ) {5}}", "1: UAG, HAG or CALC expected, found '5'"),
        ('ASG(a) {RULE(1, READ) {CALC("A+")}}', "1: CALC expression 'A+': an operand is missing"),
        ("UAG($(X))", "1: macro 'X' has no value"),
        ("UAG(a)\nHAG($(X)", "2: macro 'X' has no value"),
        ("UAG(${X)", "1: macro '${X)' has no end"),
        ("F(a)" + "{b()" * 200, "1: blocks are nested too deeply"),
    ],
)
def test_an_error_names_file_line_and_what_was_expected(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse_acf(text, file="x.acf")
    assert str(refused.value) == f"x.acf:{problem}"


def test_what_is_not_known_is_left_out_with_a_warning() -> None:
    found = parse_acf(
        'AUTHORITY(CA, "Our CA")\n'
        "ASG(X) {\n"
        "  RULE(1, READ)\n"
        '  RULE(1, WRITE, TRAPWRITE) { METHOD("x509") }\n'
        "  RULE(1, RPC)\n"
        "  INPA(a) INPA(b)\n"
        '  RULE(0, READ) { CALC("A") CALC("A=2") }\n'
        "}\n",
        file="x.acf",
    )
    first, last = found.groups["X"].rules
    assert (first.rights, first.users) == (AccessRights.READ, ())
    assert last.calc is not None
    assert last.calc.text == "A=2"
    assert found.groups["X"].inputs == {0: "b"}
    assert found.warnings == (
        "x.acf:1: 'AUTHORITY' is not known and left out",
        "x.acf:4: 'METHOD' is not known: the rule is left out",
        "x.acf:5: 'RPC' is not known: the rule is left out",
        "x.acf:6: INPA is given twice; the last one counts",
        "x.acf:7: a rule has a second CALC; the last one counts",
    )


# --- macros ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("$(P)x", "dev:x"),
        ("${P}x", "dev:x"),
        ("$(P=other)x", "dev:x"),
        ("$(Q=other)x", "otherx"),
        ("$(Q=)x", "x"),
        ("$(Q=$(P)a)x", "dev:ax"),
        ("$(Q=${R=b})x", "bx"),
        ("$($(N))x", "dev:x"),
        ("$(V)x", "<dev:>x"),
        ("$P $ $", "$P $ $"),
        (r"\$(P)", r"\$(P)"),
        ("(P) {P}", "(P) {P}"),
    ],
)
def test_macros_are_expanded(text: str, expanded: str) -> None:
    assert expand(text, {"P": "dev:", "N": "P", "V": "<$(P)>"}) == expanded


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("$(A)", "macros refer to one another without end"),
        ("$(" * 50 + "x" + ")" * 50, "macros refer to one another without end"),
        ("$(X)", "macro 'X' has no value"),
        ("$($(X))", "macro 'X' has no value"),
        ("$(X", "macro '$(X' has no end"),
    ],
)
def test_a_macro_that_cannot_be_expanded(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        expand(text, {"A": "$(B)", "B": "$(A)"})
    assert str(refused.value) == problem


def test_macros_may_stand_for_several_names_and_not_in_comments() -> None:
    text = 'HAG(h) {$(HOSTS)} # $(UNKNOWN)\nUAG("a#$(P)") {b}'
    found = parse_acf(text, macros={"HOSTS": "a, b", "P": "x"})
    assert found.hosts == {"h": ("a", "b")}
    assert found.users == {"a#x": ("b",)}


@pytest.mark.parametrize(
    ("text", "macros"),
    [
        ("", {}),
        ("P=x", {"P": "x"}),
        (" P = x , Q=y,", {"P": "x", "Q": "y"}),
        ("P=,Q=a=b", {"P": "", "Q": "a=b"}),
        ('P="x,y",Q=\'a"b\'', {"P": "x,y", "Q": 'a"b'}),
        (r"P=x\,y,Q=\"", {"P": "x,y", "Q": '"'}),
    ],
)
def test_macros_are_given_as_text(text: str, macros: dict[str, str]) -> None:
    assert parse_macros(text) == macros


@pytest.mark.parametrize("text", ["P", "P=x,,Q=y", "=x", 'P="x'])
def test_text_that_gives_no_macros(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^macros: "):
        parse_macros(text)
