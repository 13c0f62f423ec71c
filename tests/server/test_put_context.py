"""What a putter leaves in a ContextVar is not there for the next client's put."""

import asyncio
from contextvars import ContextVar

from ioc_ops.ca import Eca
from ioc_ops.channel import ChannelInteger
from ioc_ops.server.counters import Counters
from ioc_ops.server.puts import PutQueue

MARK: ContextVar[bool] = ContextVar("mark", default=False)


def test_each_put_starts_from_the_same_context() -> None:
    seen: list[bool] = []
    answers: list[Eca] = []

    async def put(instance: ChannelInteger, value: int) -> None:
        seen.append(MARK.get())
        MARK.set(True)
        await asyncio.sleep(0)

    async def main() -> None:
        tasks: set[asyncio.Task[None]] = set()
        through = asyncio.Event()

        def spawn(work, name: str) -> None:  # type: ignore[no-untyped-def]
            task = asyncio.get_running_loop().create_task(work, name=name)
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        def done(status: Eca) -> None:
            answers.append(status)
            if len(answers) == 3:
                through.set()

        channel = ChannelInteger(0, name="x")
        channel.putter = put
        queue = PutQueue(channel, Counters(), spawn)
        for value in (1, 2, 3):
            queue.add(channel, value, done)
        await through.wait()
        await asyncio.gather(*tasks)
        assert channel.puts is None
        assert channel.value == 3

    asyncio.run(main())
    assert seen == [False, False, False]
    assert answers == [Eca.NORMAL] * 3
