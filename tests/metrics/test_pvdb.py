"""Noticing that PVs have come or gone."""

from collections.abc import Iterator, Mapping
from typing import Any

from ioc_ops.metrics.pvdb import PvdbWatch, copy_of


def test_a_change_is_noticed_once() -> None:
    pvdb: dict[str, Any] = {"a": object(), "b": object()}
    watch = PvdbWatch(pvdb)
    assert watch.changed()
    assert not watch.changed()
    for change in (
        lambda: pvdb.update(c=object()),
        lambda: pvdb.pop("a"),
        lambda: (pvdb.pop("b"), pvdb.update(d=object())),  # as many as before
        lambda: pvdb.update(d=object()),  # the same name
        pvdb.clear,
    ):
        change()
        assert watch.changed()
        assert not watch.changed()


class Names(Mapping[str, Any]):
    """PVs that are no dictionary and have no order; `trouble` times they change while looked at."""

    def __init__(self, *names: str, trouble: int = 0) -> None:
        self.names = list(names)
        self.trouble = trouble

    __reversed__ = None  # type: ignore[assignment]

    def __getitem__(self, name: str) -> Any:
        return name

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[str]:
        for name in self.names:
            if self.trouble:
                self.trouble -= 1
                raise RuntimeError("dictionary changed size during iteration")
            yield name


def test_of_pvs_without_order_their_number_counts() -> None:
    pvdb = Names("a")
    watch = PvdbWatch(pvdb)
    assert watch.changed()
    assert not watch.changed()
    pvdb.names.append("b")
    assert watch.changed()


def test_a_copy_is_made_however_often_the_pvs_change_meanwhile() -> None:
    assert copy_of(Names("a", "b", trouble=3)) == {"a": "a", "b": "b"}
