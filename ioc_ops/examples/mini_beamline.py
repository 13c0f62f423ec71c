"""A small beamline to try scans on: detectors, the motors that move them, and a beam."""

import math
import time
from contextvars import ContextVar
from typing import Any

import numpy as np

from ioc_ops.server import (
    AsyncLibraryLayer,
    PVGroup,
    PvpropertyData,
    SubGroup,
    ioc_arg_parser,
    pvproperty,
    run,
)

COUNTS = 200.0  # of a detector in the full beam, per unit of current and exposure

rng = np.random.default_rng()

moving: ContextVar[bool] = ContextVar("moving", default=False)
"""Set in a motor's putter: a write in there is one of its own steps."""


def current(group: PVGroup) -> float:
    """The beam that all instruments share: the group that they are part of has it."""
    beamline: Any = group.parent
    return float(beamline.current.value)


def not_negative(value: float) -> float:
    """No exposure is shorter than none."""
    return max(0.0, value)  # nan is 0, too


class PointDetector(PVGroup):
    """A detector that counts, behind something that a motor moves through the beam."""

    det = pvproperty(value=0.0, read_only=True, doc="Counts of the last reading")
    mtr = pvproperty(value=0.0, precision=3, record="ai", doc="Position of the motor")
    exp = pvproperty(value=1.0, doc="Exposure")
    vel = pvproperty(value=1.0, doc="Speed of the motor per second; at 0 or below it jumps")
    mtr_tick_rate = pvproperty(value=10.0, units="Hz", doc="Steps per second of a move")

    def transmission(self, position: float) -> float:
        """The part of the beam that reaches the detector."""
        raise NotImplementedError

    @det.scan(period=0.5)
    async def det(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """Photons do not come evenly: the counts are Poisson distributed."""
        through = self.transmission(self.mtr.value)
        expected = COUNTS * current(self) * self.exp.value * through
        await instance.write(float(rng.poisson(expected)))

    @exp.putter
    async def exp(self, instance: PvpropertyData, value: float) -> float:
        """What is returned becomes the value."""
        return not_negative(value)

    @mtr.startup
    async def mtr(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """Keep the async library for the putter."""
        self.async_lib = async_lib

    @mtr.putter
    async def mtr(self, instance: PvpropertyData, value: float) -> float | None:
        """Move step by step; a client that waits for completion waits for the end of the move."""
        if moving.get():
            return None
        token = moving.set(True)
        try:
            begin, pause = instance.value, 1 / self.mtr_tick_rate.value
            speed = self.vel.value
            steps = int(abs(value - begin) / speed / pause) if speed > 0 else 0
            for step in range(1, steps + 1):
                await self.async_lib.sleep(pause)
                await instance.write(begin + (value - begin) * step / steps)
        finally:
            moving.reset(token)
        return value


class PinHole(PointDetector):
    """A hole that lets a round beam through: a Gaussian about 0."""

    def transmission(self, position: float) -> float:
        """Width 5."""
        return math.exp(-(position**2) / (2 * 5**2))


class Edge(PointDetector):
    """A knife edge at 5: nothing on one side, the whole beam on the other."""

    def transmission(self, position: float) -> float:
        """Width 2.5."""
        return math.erfc((5 - position) / 2.5) / 2


class Slit(PointDetector):
    """Two knife edges, at -7.5 and 7.5."""

    def transmission(self, position: float) -> float:
        """Width 2.5."""
        return (math.erfc((position - 7.5) / 2.5) - math.erfc((position + 7.5) / 2.5)) / 2


class MovingDot(PVGroup):
    """A camera that sees the beam as a dot; two motors move the camera."""

    ROWS, COLUMNS = 480, 640
    BACKGROUND = 1000  # counts of each pixel in the dark

    det = pvproperty(value=[0.0] * (ROWS * COLUMNS), read_only=True, doc="The image, row by row")
    img_sum = pvproperty(value=0.0, read_only=True, doc="Sum of all pixels")
    mtrx = pvproperty(value=0.0, doc="Horizontal position")
    mtry = pvproperty(value=0.0, doc="Vertical position")
    exp = pvproperty(value=1.0, doc="Exposure")
    shutter_open = pvproperty(value=1, doc="0 leaves the camera in the dark")
    ArraySizeY_RBV = pvproperty(value=ROWS, read_only=True, doc="Rows of the image")
    ArraySizeX_RBV = pvproperty(value=COLUMNS, read_only=True, doc="Columns of the image")
    ArraySize_RBV = pvproperty(value=[ROWS, COLUMNS], read_only=True, doc="Rows and columns")

    @det.scan(period=2.0)
    async def det(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """Drawing 300,000 random numbers takes its time: a thread does it."""
        image = await async_lib.run_in_thread(self.image)
        await self.img_sum.write(float(image.sum()))
        await instance.write(image.ravel())

    @exp.putter
    async def exp(self, instance: PvpropertyData, value: float) -> float:
        """What is returned becomes the value."""
        return not_negative(value)

    def image(self) -> "np.ndarray[Any, np.dtype[np.float64]]":
        """One exposure, rows by columns."""
        expected = np.full((self.ROWS, self.COLUMNS), float(self.BACKGROUND))
        if self.shutter_open.value:
            x, y = self.mtrx.value, self.mtry.value
            row, column = np.ogrid[: self.ROWS, : self.COLUMNS]
            across = (column - self.COLUMNS / 2 + x) / 50
            down = (row - self.ROWS / 2 + y) / 25
            dot = np.exp(-(across**2 + down**2) / 2) * math.exp(-(x**2 + y**2) / 100**2)
            expected += COUNTS * current(self) * self.exp.value * dot
        image: np.ndarray[Any, np.dtype[np.float64]] = rng.poisson(expected).astype(float)
        return image


class MiniBeamline(PVGroup):
    """
    A beam whose current goes up and down, and four instruments in it.

    current    500 and up to 25 more or less, once round in four seconds
    ph:        pin hole, edge: knife edge, slit: slit; each with a detector (det), a
               motor (mtr) with its speed (vel) and steps (mtr_tick_rate), and an
               exposure (exp)
    dot:       a camera (det, img_sum) on two motors (mtrx, mtry), with a shutter

    Writing to a motor completes when it has arrived.
    """

    current = pvproperty(value=500.0, read_only=True, doc="Current of the beam")

    ph = SubGroup(PinHole, doc="Pin hole")
    edge = SubGroup(Edge, doc="Knife edge")
    slit = SubGroup(Slit, doc="Slit")
    dot = SubGroup(MovingDot, doc="Camera")

    @current.scan(period=0.1)
    async def current(self, instance: PvpropertyData, async_lib: AsyncLibraryLayer) -> None:
        """The beam breathes."""
        await instance.write(500 + 25 * math.sin(time.monotonic() * math.tau / 4))


if __name__ == "__main__":
    ioc_options, run_options = ioc_arg_parser(default_prefix="mini:", desc=MiniBeamline.__doc__)
    ioc = MiniBeamline(**ioc_options)
    run(ioc.pvdb, **run_options)
