"""The log of puts is wanted however quiet the IOC is to be."""

import logging

import pytest

from ioc_ops.server import ioc_arg_parser


def test_quiet_does_not_silence_the_put_log(monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "level", root.level)
    ioc_arg_parser(desc="", default_prefix="x:", argv=["-q"])
    assert not logging.getLogger("ioc_ops.server").isEnabledFor(logging.INFO)
    assert logging.getLogger("ioc_ops.putlog").isEnabledFor(logging.INFO)
