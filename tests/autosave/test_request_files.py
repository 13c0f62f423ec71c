"""Request files: macros, includes, comments, and errors that name file and line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ioc_ops.autosave.formats import RequestedPV, parse_request, read_request
from ioc_ops.autosave.formats.macros import expand, parse_definitions
from ioc_ops.errors import AutosaveError


def names(text: str, macros: dict[str, str] | None = None, **files: str) -> list[str]:
    def read(name: str) -> str:
        try:
            return files[name]
        except KeyError:
            raise AutosaveError(f"no {name}") from None

    return [pv.name for pv in parse_request(text, "top", macros or {}, read)]


def test_names_comments_and_blank_lines() -> None:
    text = "# comment $(NOT)\n\n$(P)a.VAL\r\n  ${P}b   rest\n#$(P)c\n$(P)$(R=d)\nfiled\n"
    assert names(text, {"P": "x:"}) == ["x:a.VAL", "x:b", "x:d", "filed"]


def test_includes_have_only_the_macros_of_their_line() -> None:
    text = 'file "one", "P=$(P), M=m1"\nfile two P=$(P)\nfile three\n'
    files = {"one": "$(P)$(M)\n", "two": "$(P)\nfile one P=q:,M=2\n", "three": "c\n"}
    assert names(text, {"P": "x:", "M": "unused"}, **files) == ["x:m1", "x:", "q:2", "c"]
    with pytest.raises(AutosaveError, match="one, line 1: the macro 'P' is not defined"):
        names("a\nfile one\n", {"P": "x:"}, **files)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\n$(P)b\n", "top, line 2: the macro 'P' is not defined"),
        ("$(P\n", "top, line 1: the macro .* has no end"),
        ("a\n\nfile nix.req\n", "top, line 3: no nix.req"),
        ("%x\n", "top, line 1: '%x' is no name of a PV"),
        ("file one P=a,,=b\n", "top, line 1: no definition"),
        ("file top\n", "top, line 1: top includes itself"),
        ("$(A)\n", "top, line 1: macros that stand for one another"),
    ],
)
def test_errors_name_file_and_line(text: str, message: str) -> None:
    with pytest.raises(AutosaveError, match=message):
        names(text, {"A": "$(B)", "B": "$(A)"}, one="a\n", top="file top\n")


def test_files_on_a_search_path(tmp_path: Path) -> None:
    for directory, content in (("a", "$(P)in_a\n"), ("b", "$(P)in_b\n")):
        (tmp_path / directory).mkdir()
        (tmp_path / directory / "inner.req").write_text(content)
    (tmp_path / "b" / "top.req").write_text("file inner.req P=$(P)\n$(P)m.DESC$\n$(P)m.VAL\n")
    path = [tmp_path / "a", tmp_path / "b"]
    found = read_request("top.req", {"P": "x:"}, path)
    assert found == [
        RequestedPV("x:in_a", "inner.req", 1),
        RequestedPV("x:m.DESC$", "top.req", 2),
        RequestedPV("x:m.VAL", "top.req", 3),
    ]
    assert [pv.key for pv in found] == ["x:in_a", "x:m.DESC", "x:m"]
    assert read_request(tmp_path / "b" / "top.req", {"P": ""})[0].name == "in_b"
    with pytest.raises(AutosaveError, match=r"no nix\.req in .*a, .*b"):
        read_request("nix.req", {}, path)
    (tmp_path / "a" / "dir.req").mkdir()
    with pytest.raises(AutosaveError, match="Is a directory"):
        read_request("dir.req", {}, path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("P=x:", {"P": "x:"}),
        ("P=x:,M=m1", {"P": "x:", "M": "m1"}),
        ("P=x: M=m1 , N=", {"P": "x:", "M": "m1", "N": ""}),
        ("P=\"a b\",M='c,d'", {"P": "a b", "M": "c,d"}),
        ("P=$(Q=1)", {"P": "$(Q=1)"}),
    ],
)
def test_definitions(text: str, expected: dict[str, str]) -> None:
    assert parse_definitions(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a$", "a$"),
        ("$a $$(A)", "$a $1"),
        ("$(A)${A}", "11"),
        ("$(B)", "1-1"),
        ("$($(N))", "1"),
        ("$(X=$(A))", "1"),
        ("$(X=)", ""),
        ("$(X=a(b)c)", "a(bc)"),
    ],
)
def test_macros(text: str, expected: str) -> None:
    assert expand(text, {"A": "1", "B": "$(A)-${A}", "N": "A"}) == expected


@given(st.text(st.sampled_from("$(){}AB=,\"' \n#fileP"), max_size=40))
def test_any_text_is_a_list_or_one_error(text: str) -> None:
    problem = ""
    found: list[str] = []
    try:
        found = names(text, {"A": "$(B)", "B": "$(A)$(A)", "P": "x"})
    except AutosaveError as error:
        problem = str(error)
    assert all(found)
    assert not problem or problem.startswith("top, line ")
