"""Which old files go: decided without a disk, by rules that hold for any set of files."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ioc_ops.autosave.retention import RetentionPolicy, StoredFile, plan

DAY = 86400.0
UNLIMITED = RetentionPolicy(max_files_per_day=None, max_age=None)


def files_at(*times: float, size: int = 10) -> list[StoredFile]:
    return [StoredFile(Path(f"f{number}"), time, size) for number, time in enumerate(times)]


def names(files: list[StoredFile]) -> list[str]:
    return [file.path.name for file in files]


times = st.floats(0, 100 * DAY) | st.integers(0, 100).map(lambda day: day * DAY)
file_sets = st.lists(
    st.tuples(times, st.integers(0, 1000), st.booleans()), max_size=30
).map(
    lambda rows: [
        StoredFile(Path(f"f{number}"), time, size, good)
        for number, (time, size, good) in enumerate(rows)
    ]
)  # fmt: skip
limits = st.none() | st.integers(1, 10)
policies = st.builds(
    RetentionPolicy,
    max_files_per_day=limits,
    max_age=st.none() | st.floats(0, 50 * DAY),
    max_files=limits,
    max_total_bytes=st.none() | st.integers(1, 5000),
)


@given(file_sets, times, policies, st.data())
def test_the_rules(
    files: list[StoredFile], now: float, policy: RetentionPolicy, data: st.DataObject
) -> None:
    paths = [file.path for file in files]
    protected = set(data.draw(st.lists(st.sampled_from(paths)))) if paths else set()

    deleted = plan(files, now, policy, protected=protected)
    gone = {file.path for file in deleted}
    stay = [file for file in files if file.path not in gone]

    assert [file.order for file in deleted] == sorted(file.order for file in deleted)
    assert gone <= set(paths)
    assert not gone & protected
    good = [file for file in files if file.good]
    newest_good = max(good, key=lambda file: file.order) if good else None
    assert newest_good is None or newest_good in stay

    # What stays against a limit stays only because it must.
    free = [file for file in stay if file.path not in protected and file != newest_good]
    if policy.max_age is not None:
        assert all(now - file.time <= policy.max_age for file in free)
    if policy.max_files is not None:
        assert len(stay) <= policy.max_files or not free
    if policy.max_total_bytes is not None:
        assert sum(file.size for file in stay) <= policy.max_total_bytes or not free
    if policy.max_files_per_day is not None:
        for day in {file.time // DAY for file in stay}:
            of_day = [file for file in stay if file.time // DAY == day]
            assert len(of_day) <= policy.max_files_per_day or not set(of_day) & set(free)

    # Nothing goes without a reason, and pruning twice deletes nothing more.
    if policy == UNLIMITED:
        assert not deleted
    assert plan(stay, now, policy, protected=protected) == []


@given(file_sets, times, policies)
def test_the_order_of_the_files_does_not_matter(
    files: list[StoredFile], now: float, policy: RetentionPolicy
) -> None:
    assert plan(files, now, policy) == plan(list(reversed(files)), now, policy)


def test_age_is_real_age_not_the_time_of_day() -> None:
    # caproto compared the time of day: 40 and 60 days old were "today".
    now = 100 * DAY + 50_000
    files = files_at(now - 60 * DAY, now - 40 * DAY - 100, now - 29 * DAY, now - 60)
    assert names(plan(files, now, RetentionPolicy())) == ["f0", "f1"]


def test_the_limit_per_day_is_per_day() -> None:
    now = 100 * DAY
    files = files_at(*(now - age * DAY - 3600 * n for age in range(1, 11) for n in range(1, 6)))
    assert plan(files, now, RetentionPolicy(max_files_per_day=5)) == []
    assert len(plan(files, now, RetentionPolicy(max_files_per_day=3))) == 20


def test_a_day_of_saves_leaves_history_of_the_whole_day() -> None:
    # 5 files at 30 s kept caproto's history to the last 2.5 minutes.
    stay: list[StoredFile] = []
    policy = RetentionPolicy(max_files_per_day=5)
    for number in range(2000):  # every 30 s of 16 h, pruned after each save
        now = number * 30.0
        stay.append(StoredFile(Path(f"f{number}"), now, 1))
        gone = {file.path for file in plan(stay, now, policy)}
        stay = [file for file in stay if file.path not in gone]
    times = [file.time for file in stay]
    assert times[0] == 0
    assert times[-1] == now
    gaps = [after - before for before, after in pairwise(times)]
    assert max(gaps[:-1]) < now / 2


def test_size_takes_the_oldest() -> None:
    files = files_at(1, 2, 3, 4, size=100)
    policy = RetentionPolicy(max_files_per_day=None, max_age=None, max_total_bytes=250)
    assert names(plan(files, 5, policy)) == ["f0", "f1"]


def test_one_huge_file_stays_if_it_is_the_newest_good_one() -> None:
    files = files_at(1, 2, size=10**9)
    policy = RetentionPolicy(max_files_per_day=None, max_age=None, max_total_bytes=1)
    assert names(plan(files, 5, policy)) == ["f0"]


def test_the_newest_good_file_outlives_every_limit() -> None:
    files = [StoredFile(Path("good"), 1, 10), StoredFile(Path("bad"), 2, 10, good=False)]
    policy = RetentionPolicy(max_files_per_day=1, max_age=10, max_files=1, max_total_bytes=1)
    assert names(plan(files, 100 * DAY, policy)) == ["bad"]


def test_files_from_the_future_have_no_age() -> None:
    files = files_at(1000 * DAY, 5)
    assert plan(files, 10, RetentionPolicy()) == []
