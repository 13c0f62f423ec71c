"""What a record sets off, played on EPICS Base and on ours: forward links, momentary outputs."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from processed_records import DATABASE
from raw_circuit import Event
from record_client import RecordClient
from record_script import VALUE, Player
from record_servers import Ports

Play = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def ports(serve: Callable[..., Ports]) -> Ports:
    return serve("processed_records", DATABASE, "processed")


HELD = 0.6  # seconds


def time_of(event: Event) -> float:
    return event.extras.seconds + event.extras.nanoseconds * 1e-9


def held_after_a_second_press(client: RecordClient, button: int) -> float | None:
    """Press twice; seconds from the second press to the fall, by the server's clock.

    None when the fall came first: the machine was busy, and it must be tried again.
    """
    client.pending(button)  # of an attempt before
    client.write("R:button", 1)
    client.next_event(button)
    time.sleep(HELD / 2)
    client.write("R:button", 1)
    pressed = client.read("R:button")
    fallen = client.next_event(button)
    if pressed.values == [0]:
        return None
    if time_of(fallen) < time_of(pressed):  # and so the second press was one of its own
        client.next_event(button)
        client.next_event(button)
        return None
    return time_of(fallen) - time_of(pressed)


def momentary(p: Player) -> None:
    button = p.client.subscribe("R:button", VALUE)

    def note_events(number: int) -> None:
        p.note([p.client.next_event(button).values[0] for _ in range(number)])

    p.write("R:button.HIGH", 0.1)
    for press in (1, "On"):
        p.write("R:button", press)
        note_events(2)  # comes, and goes
    p.write("R:button", 1)
    p.write("R:button", 0)  # before its time, which then has nothing to do
    time.sleep(0.2)
    note_events(2)
    p.write("R:button.HIGH", HELD)
    while (seconds := held_after_a_second_press(p.client, button)) is None:
        pass
    p.note(seconds >= 0.9 * HELD)  # the second press counted anew
    p.write("R:button.HIGH", 0)
    p.write("R:button", 1)
    p.write("R:button.HIGH", 0.1)  # counts for the next press
    time.sleep(0.2)
    p.read("R:button")
    p.write("R:button", 0)
    note_events(2)
    p.note(p.client.pending(button))


def test_a_momentary_output_falls_back(play: Play) -> None:
    said = play(momentary)
    assert [line[0] for line in said if len(line) == 1] == [
        [1, 0], [1, 0], [1, 0], True, [1, 0], [],
    ]  # fmt: skip


def forward(p: Player) -> None:
    for name in ("a", "b", "c"):
        p.monitor(f"R:{name}", VALUE)
    p.write("R:a", 5)
    p.write("R:a.FLNK", "R:b")
    p.write("R:b.FLNK", "R:c.PROC")
    p.write("R:a", 6)
    p.write("R:fence", 0)
    p.write("R:a", 6)  # no news of a, but it was processed
    p.write("R:fence", 0)
    p.write("R:a.PROC", 1)
    p.write("R:fence", 0)
    p.write("R:b.FLNK", "")
    p.write("R:a", 7)
    p.write("R:fence", 0)
    p.write("R:a.FLNK", "")
    p.write("R:a", 8)


def by_name(said: list[Any]) -> dict[str, list[Any]]:
    events = [each for line in said for each in line[4:] if line[0] == "write"]
    return {label: [e[1] for e in events if e[0] == label] for label in {e[0] for e in events}}


@pytest.fixture
def play_events(clients: Any) -> Callable[..., list[dict[str, list[Any]]]]:
    """Play a script on both; the events of each, whenever they came."""

    def on_both(script: Callable[[Player], None]) -> list[dict[str, list[Any]]]:
        found = []
        for client in clients:
            player = Player(client)
            script(player)
            found.append(by_name(player.log))
        return found

    return on_both


def test_forward_links_process_the_records_they_name(play_events: Any) -> None:
    base, ours = play_events(forward)
    assert ours == base
    assert (len(ours["R:b/1"]), len(ours["R:c/1"])) == (4, 3)


def loop(p: Player) -> None:
    for number in (1, 2):
        p.monitor(f"R:loop{number}", VALUE)
        p.write(f"R:loop{number}.FLNK", f"R:loop{3 - number}")
    p.write("R:loop1", 1)
    p.write("R:fence", 0)
    p.write("R:loop1", 2)
    p.write("R:fence", 0)


def test_a_ring_of_forward_links_is_gone_through_once(play_events: Any) -> None:
    base, ours = play_events(loop)
    assert ours == base
