"""Names that IOCs import from the package itself."""

import subprocess
import sys

import pytest

import ioc_ops
from ioc_ops import channel, errors

# What the IOCs of caproto's documentation and examples import from ``caproto``.
BY_CAPROTO_IOCS = """
AccessRights AlarmSeverity AlarmStatus CaprotoConversionError CaprotoError CaprotoKeyError
CaprotoRuntimeError CaprotoValueError ChannelAlarm ChannelByte ChannelChar ChannelData
ChannelDouble ChannelEnum ChannelFloat ChannelInteger ChannelNumeric ChannelShort ChannelString
ChannelType Forbidden SkipWrite SubscriptionType TimeStamp
""".split()


@pytest.mark.parametrize("name", BY_CAPROTO_IOCS)
def test_a_name_that_caproto_has_too(name: str) -> None:
    import caproto

    ours, theirs = getattr(ioc_ops, name), getattr(caproto, name)
    assert isinstance(ours, type)
    assert name in ioc_ops.__all__
    assert name in dir(ioc_ops)
    assert ours is not theirs
    if issubclass(theirs, Exception):
        assert issubclass(ours, Exception)
    for member in getattr(theirs, "__members__", ()):
        if not member.startswith(("TIME_", "GR_", "CTRL_", "STS_", "PUT_", "STSACK", "CLASS")):
            assert int(ours[member]) == int(theirs[member])


def test_they_are_the_same_objects_as_in_the_layers() -> None:
    assert ioc_ops.ChannelAlarm is channel.Alarm
    assert ioc_ops.SkipWrite is errors.SkipWrite
    assert ioc_ops.CaprotoError is errors.IocOpsError
    assert issubclass(ioc_ops.CaprotoValueError, ValueError)
    assert issubclass(ioc_ops.CaprotoKeyError, KeyError)


def test_a_name_that_nobody_has() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = ioc_ops.nonsense
    with pytest.raises(ImportError):
        from ioc_ops import CaprotoTimeoutError  # noqa: F401


def test_the_package_itself_is_light() -> None:
    script = (
        "import sys, ioc_ops;"
        "print([m for m in sys.modules if m == 'numpy' or m.startswith('ioc_ops.')]);"
        "from ioc_ops import SkipWrite;"
        "print('numpy' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:2] == ["[]", "False"]
