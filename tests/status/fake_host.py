"""A machine whose every answer a test decides; it counts the answers and may refuse them."""

from collections.abc import Callable

ANSWERS: dict[str, object] = {
    "hostname": "ioc-host",
    "kernel": "Linux 6.1.0 x86_64",
    "cpus": 4,
    "process_id": 4711,
    "parent_id": 1,
    "directory": "/opt/iocs/" + "d" * 40 + "/beamline",
    "source_file": "/opt/iocs/my_ioc.py",
    "release": "ioc_ops 9.9",
    "python": "3.11.2",
    "monotonic": 100.0,
    "system_busy": 50.0,
    "process_busy": 5.0,
    "resident": 64_000_000,
    "memory_available": 8_000_000_000,
    "memory_total": 16_000_000_000,
    "descriptors": 12,
    "descriptor_limit": 1024,
    "threads": 3,
}


class FakeHost:
    """``answers`` may be changed at any time; an exception among them is raised."""

    def __init__(self, **answers: object) -> None:
        self.answers = {**ANSWERS, **answers}
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Callable[[], object]:
        if name not in ANSWERS:
            raise AttributeError(name)

        def answer() -> object:
            self.asked.append(name)
            value = self.answers[name]
            if isinstance(value, Exception):
                raise value
            return value

        return answer
