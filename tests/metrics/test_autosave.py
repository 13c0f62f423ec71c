"""The metrics of autosave, set by set."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry

from ioc_ops.metrics import AutosaveCollector, AutosaveSets
from ioc_ops.metrics.families import AUTOSAVE_FAMILIES

RegistryOf = Callable[..., CollectorRegistry]
MakeSaver = Callable[..., object]
IOC = 'sim "1"'


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("last_success_timestamp_seconds", 1_700_000_009.0),
        ("saves_total", 12),
        ("duration_seconds", 0.02),
        ("size_bytes", 2048),
        ("pvs", 7),
        ("restored_pvs", 6),
        ("restore_failures", 1),
        ("restore_passed_over_files", 2),
        ("files", 4),
        ("carried_pvs", 3),
        ("unsaved_since_timestamp_seconds", 1_700_000_010.0),
        ("overdue_seconds", 70),
        ("storage_hung", 1),
    ],
)
def test_autosave_numbers_are_those_of_its_helper(
    context: SimpleNamespace,
    registry_of: RegistryOf,
    make_saver: MakeSaver,
    name: str,
    value: float,
) -> None:
    context.groups = [SimpleNamespace(stats=None), make_saver("state/my.json")]
    registry = registry_of(AutosaveCollector(context))
    labels = {"ioc": IOC, "set": "my"}
    assert registry.get_sample_value(f"epics_ioc_autosave_{name}", labels) == value


def test_failures_are_told_by_kind(
    context: SimpleNamespace, registry_of: RegistryOf, make_saver: MakeSaver
) -> None:
    context.groups = [make_saver("state/my.json")]
    registry = registry_of(AutosaveCollector(context))
    for kind, value in (("ENOSPC", 1), ("EIO", 0), ("timeout", 0)):
        labels = {"ioc": IOC, "set": "my", "kind": kind}
        assert registry.get_sample_value("epics_ioc_autosave_failures_total", labels) == value


def test_no_autosave_metric_goes_untested() -> None:
    marks = test_autosave_numbers_are_those_of_its_helper.pytestmark
    tested = {f"epics_ioc_autosave_{name}" for name, _value in marks[0].args[1]}
    tested.add("epics_ioc_autosave_failures_total")  # by kind, in a test of its own
    assert {family.name for family in AUTOSAVE_FAMILIES} == tested


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (("state/a.json", "state/b.json"), ["a", "b"]),
        (("x/my.json", "y/my.json", "c.json"), ["x/my.json", "y/my.json", "c"]),
    ],
)
def test_sets_have_the_names_of_their_files(
    context: SimpleNamespace,
    registry_of: RegistryOf,
    make_saver: MakeSaver,
    files: tuple[str, ...],
    names: list[str],
) -> None:
    context.groups = [make_saver(file, pvs=number) for number, file in enumerate(files)]
    registry = registry_of(AutosaveCollector(context))
    for number, name in enumerate(names):
        labels = {"ioc": IOC, "set": name}
        assert registry.get_sample_value("epics_ioc_autosave_pvs", labels) == number


def test_sets_that_come_later_are_found(context: SimpleNamespace, make_saver: MakeSaver) -> None:
    collector = AutosaveCollector(context)
    assert list(collector.collect()) == []
    context.groups = [make_saver("a.json")]
    context.pvdb["a:status"] = SimpleNamespace()
    assert len(list(collector.collect())) == len(AUTOSAVE_FAMILIES)


def test_sets_are_looked_for_only_when_pvs_have_come_or_gone(make_saver: MakeSaver) -> None:
    class Context:
        looks = 0
        pvdb: dict[str, object] = {"a": object(), "b": object()}

        @property
        def groups(self) -> list[object]:
            self.looks += 1
            return [make_saver("a.json")]

    context = Context()
    sets = AutosaveSets(context)
    for _ in range(3):
        assert [name for name, _ in sets.stats()] == ["a"]
    assert context.looks == 1
    del context.pvdb["a"]
    context.pvdb["c"] = object()  # as many as before
    sets.stats()
    assert context.looks == 2


def test_before_the_first_save_there_is_no_time_of_it(
    context: SimpleNamespace, registry_of: RegistryOf, make_saver: MakeSaver
) -> None:
    context.groups = [make_saver("a.json", last_success=0.0, saves=0, unsaved_since=0.0)]
    registry = registry_of(AutosaveCollector(context))
    labels = {"ioc": IOC, "set": "a"}
    for name in ("last_success", "unsaved_since"):
        metric = f"epics_ioc_autosave_{name}_timestamp_seconds"
        assert registry.get_sample_value(metric, labels) is None
    assert registry.get_sample_value("epics_ioc_autosave_saves_total", labels) == 0


def test_an_ioc_without_autosave_has_no_autosave_metrics(context: SimpleNamespace) -> None:
    assert list(AutosaveCollector(context).collect()) == []
