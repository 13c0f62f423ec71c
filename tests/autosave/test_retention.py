"""Which old files go: decided without a disk, by rules that hold for any set of files."""

from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from ioc_ops.autosave.files.retention import (
    RetentionPolicy,
    StoredFile,
    oldest_first,
    plan,
    probable_times,
)

DAY = 86400.0
GAP = 90 * DAY
UNLIMITED = RetentionPolicy(max_files_per_day=None, max_age=None)


def files_at(*times: float, size: int = 10) -> list[StoredFile]:
    return [StoredFile(Path(f"f{number}"), time, size) for number, time in enumerate(times)]


def names(files: list[StoredFile]) -> list[str]:
    return [file.path.name for file in files]


times = st.floats(0, 100 * DAY) | st.integers(0, 100).map(lambda day: day * DAY)


@st.composite
def file_sets(draw: st.DrawFn, numbered: str | None = None) -> list[StoredFile]:
    """Files in any order of time, with the serials of all, some or none known."""
    rows = draw(st.lists(st.tuples(times, st.integers(0, 1000), st.booleans()), max_size=30))
    numbered = numbered or draw(st.sampled_from(["all", "some", "none"]))
    serials = [0] * len(rows)
    if numbered != "none":
        serials = draw(st.permutations(range(1, len(rows) + 1)))
    if numbered == "some":
        serials = [serial if serial % 3 else 0 for serial in serials]
    return [
        StoredFile(Path(f"f{number}"), *row, serial=serials[number])
        for number, row in enumerate(rows)
    ]


limits = st.none() | st.integers(1, 10)
policies = st.builds(
    RetentionPolicy,
    max_files_per_day=limits,
    max_age=st.none() | st.floats(0, 50 * DAY),
    max_files=limits,
    max_total_bytes=st.none() | st.integers(1, 5000),
)


@given(file_sets(), times, policies, st.data())
def test_the_rules(
    files: list[StoredFile], now: float, policy: RetentionPolicy, data: st.DataObject
) -> None:
    paths = [file.path for file in files]
    protected = set(data.draw(st.lists(st.sampled_from(paths)))) if paths else set()

    deleted = plan(files, now, policy, protected=protected)
    gone = {file.path for file in deleted}
    stay = [file for file in files if file.path not in gone]

    ordered = oldest_first(files)
    assert deleted == [file for file in ordered if file.path in gone]
    assert gone <= set(paths)
    assert not gone & protected
    good = [file for file in ordered if file.good]
    newest_good = good[-1] if good else None
    assert newest_good is None or newest_good in stay

    # What stays against a limit stays only because it must.
    free = [file for file in stay if file.path not in protected and file != newest_good]
    if policy.max_age is not None:
        true_times = dict(zip(ordered, probable_times(ordered, now), strict=True))
        old = [file for file in free if now - true_times[file] > policy.max_age]
        assert len(old) <= 5
        assert all(now - true_times[file] > GAP for file in old)
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
    # (Where the clock was set, a file that is gone can no longer witness the age of others.)
    shown = [file.time for file in ordered]
    if shown == sorted(shown):
        assert plan(stay, now, policy, protected=protected) == []


@given(file_sets(), times, policies)
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


# --- clocks that are set ------------------------------------------------------------------------


@given(file_sets(), times)
def test_times_that_can_be_true_together(files: list[StoredFile], now: float) -> None:
    ordered = oldest_first(files)
    probable = probable_times(ordered, now)
    assert all(before <= after for before, after in pairwise(probable))
    assert all(time <= now for time in probable)
    shown = [file.time for file in ordered]
    if all(before <= after for before, after in pairwise([*shown, now])):
        assert probable == shown  # nothing is wrong, nothing is put right


@given(file_sets())
def test_serials_decide_the_order(files: list[StoredFile]) -> None:
    ordered = oldest_first(files)
    serials = [file.serial for file in ordered if file.serial]
    assert serials == sorted(serials)
    assert sorted(map(id, ordered)) == sorted(map(id, files))
    if not serials or len(serials) == len(files):
        assert ordered == sorted(
            files, key=lambda f: (f.serial, f.time, len(f.path.name), f.path.name)
        )


def saves(*times: float, policy: RetentionPolicy | None = None) -> list[StoredFile]:
    """What is left when a file was saved, and the others pruned, at each of these times."""
    stay: list[StoredFile] = []
    for serial, time in enumerate(times, start=1):
        stay.append(StoredFile(Path(f"f{serial}"), time, 10, serial=serial))
        gone = {file.path for file in plan(stay, time, policy or RetentionPolicy())}
        stay = [file for file in stay if file.path not in gone]
    return stay


YEARS = 365 * DAY
TODAY = 20000 * DAY
HISTORY = [TODAY - 10 * DAY + number * DAY for number in range(10)]


def test_a_clock_that_jumps_far_ahead_does_not_delete_the_history() -> None:
    # All that was saved before looks 73 years old, and would go at the first save.
    ahead = [TODAY + 73 * YEARS + 30 * number for number in range(200)]
    left = saves(*HISTORY, *ahead)
    assert {file.time for file in left} >= set(HISTORY[-5:])
    assert len(left) == 10


def test_and_when_it_is_set_back_the_new_files_are_the_newest() -> None:
    ahead = [TODAY + 73 * YEARS + 30 * number for number in range(5)]
    back = [TODAY + 300 + 30 * number for number in range(5)]
    policy = RetentionPolicy(max_files=5)
    left = saves(*HISTORY, *ahead, *back, policy=policy)
    # By time the files of the year 2099 would stay for ever, and each new one go at once.
    assert [file.time for file in left] == back


def test_files_of_the_wrong_year_grow_old_like_those_after_them() -> None:
    ahead = [TODAY + 73 * YEARS]
    later = [TODAY + number * DAY for number in range(1, 40)]
    left = saves(*HISTORY, *ahead, *later)
    assert min(file.serial for file in left) > len(HISTORY) + len(ahead)
    assert max(file.time for file in left) == later[-1]


def test_a_clock_that_starts_in_1970_costs_nothing() -> None:
    # A board without a battery: each boot begins in 1970, until a time server answers.
    boot = [10.0, 40.0]
    after = [TODAY + 60, TODAY + 120]
    left = saves(*HISTORY, *boot, *after)
    assert [file.time for file in left] == [*HISTORY, *boot, *after]


def test_a_long_rest_leaves_something_to_go_back_to() -> None:
    # Off for half a year, then saving every hour.
    later = [TODAY + 180 * DAY + 3600 * number for number in range(100)]
    left = saves(*HISTORY, *later)
    assert [file.time for file in left if file.time < TODAY] == HISTORY[-5:]


def test_a_short_rest_is_no_fault_of_the_clock() -> None:
    later = [TODAY + 60 * DAY, TODAY + 60 * DAY + 3600]
    assert [file.time for file in saves(*HISTORY, *later)] == later


def test_what_has_no_serial_goes_by_its_time() -> None:
    caproto = [StoredFile(Path(f"c{time}"), time, 10) for time in (1, 2, 8)]
    ours = [StoredFile(Path(f"o{time}"), time, 10, serial=time) for time in (3, 4, 9)]
    assert [file.time for file in oldest_first([*ours, *caproto])] == [1, 2, 3, 4, 8, 9]
