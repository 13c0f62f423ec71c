"""The oracle: access security and CALC of EPICS Base, in the C library that its users run."""

import ctypes
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import epicscorelibs

_lib = ctypes.CDLL(str(Path(epicscorelibs.__file__).parent / "lib" / "libCom.so"))
_lib.calcPerform.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p]
_lib.asInitMem.restype = ctypes.c_long
_lib.asComputeAsg.argtypes = [ctypes.c_void_p]

INPUT_COUNT = 21


class _Node(ctypes.Structure):
    _fields_ = [("next", ctypes.c_void_p), ("previous", ctypes.c_void_p)]


class _List(ctypes.Structure):
    _fields_ = [("node", _Node), ("count", ctypes.c_int)]


class _Base(ctypes.Structure):
    _fields_ = [("uags", _List), ("hags", _List), ("asgs", _List)]


class _Asg(ctypes.Structure):
    _fields_ = [
        ("node", _Node),
        ("name", ctypes.c_char_p),
        ("inputs", _List),
        ("rules", _List),
        ("members", _List),
        ("values", ctypes.POINTER(ctypes.c_double)),
        ("bad", ctypes.c_ulong),
        ("changed", ctypes.c_ulong),
    ]


class _Input(ctypes.Structure):
    _fields_ = [
        ("node", _Node),
        ("name", ctypes.c_char_p),
        ("channel", ctypes.c_void_p),
        ("asg", ctypes.c_void_p),
        ("index", ctypes.c_int),
    ]


class _Client(ctypes.Structure):
    _fields_ = [
        ("node", _Node),
        ("member", ctypes.c_void_p),
        ("user", ctypes.c_char_p),
        ("host", ctypes.c_char_p),
        ("private", ctypes.c_void_p),
        ("callback", ctypes.c_void_p),
        ("level", ctypes.c_int),
        ("access", ctypes.c_int),
        ("trap", ctypes.c_int),
    ]


def calculate(
    text: str, inputs: Sequence[float], previous: float
) -> tuple[float | None, set[int]] | None:
    """Value (None: an error) and inputs used; None for what is no expression."""
    code = ctypes.create_string_buffer(4 * len(text) + 100)
    problem = ctypes.c_short()
    if _lib.postfix(text.encode(), code, ctypes.byref(problem)):
        return None
    values, result = (ctypes.c_double * INPUT_COUNT)(*inputs), ctypes.c_double(previous)
    failed = _lib.calcPerform(ctypes.byref(values), ctypes.byref(result), code)
    used, stored = ctypes.c_ulong(), ctypes.c_ulong()
    _lib.calcArgUsage(code, ctypes.byref(used), ctypes.byref(stored))
    assert not stored.value
    found = {index for index in range(INPUT_COUNT) if used.value >> index & 1}
    return None if failed else result.value, found


def load(text: str) -> bool:
    """Follow these rules, all inputs not connected; whether Base accepts them.

    There is one set of rules in a process; one that is refused leaves the last in place.
    """
    if _lib.asInitMem(text.encode(), None):
        return False
    for asg in _asgs():
        for item in _items(asg.inputs, _Input):
            asg.bad |= 1 << item.index  # as asCa does before it connects
    return True


def set_input(name: str, index: int, value: float | None) -> None:
    """An event of an input, as `asCa` takes it: None for one that is INVALID."""
    asg = next(a for a in _asgs() if a.name == name.encode())
    bit = 1 << index
    if value is None:
        asg.bad |= bit
    else:
        asg.bad &= ~bit
        asg.values[index] = value
    asg.changed |= bit
    _lib.asComputeAsg(ctypes.addressof(asg))


def decide(asg: str, asl: int, host: str, user: str) -> tuple[int, bool]:
    """0 nothing, 1 read, 2 write; and whether puts are trapped."""
    names = asg.encode(), user.encode(), ctypes.create_string_buffer(host.encode())
    member, client = ctypes.c_void_p(), ctypes.POINTER(_Client)()
    assert not _lib.asAddMember(ctypes.byref(member), names[0])
    assert not _lib.asAddClient(ctypes.byref(client), member, asl, names[1], names[2])
    found = client.contents.access, bool(client.contents.trap)
    assert not _lib.asRemoveClient(ctypes.byref(client))
    assert not _lib.asRemoveMember(ctypes.byref(member))
    return found


def _asgs() -> Iterator[_Asg]:
    base = ctypes.POINTER(_Base).in_dll(_lib, "pasbase").contents
    yield from _items(base.asgs, _Asg)


def _items(items: _List, kind: Any) -> Iterator[Any]:
    address = items.node.next
    while address:
        item = kind.from_address(address)
        yield item
        address = item.node.next
