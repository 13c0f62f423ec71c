"""What the property tests of the wire layer draw from, and how hard they try."""

from hypothesis import settings
from hypothesis import strategies as st

from ioc_ops.ca import LAST_TYPE, Command, Header, Message

# The same examples in every run, on a slow machine as on a fast one.
thorough = settings(max_examples=200, deadline=None, derandomize=True, database=None)
quick = settings(max_examples=60, deadline=None, derandomize=True, database=None)

u16 = st.integers(0, 0xFFFF)
u32 = st.integers(0, 0xFFFFFFFF)
commands = st.sampled_from(Command)
data_types = st.integers(0, LAST_TYPE)

# Counts and sizes on both sides of the border between the two forms of a header.
counts = st.one_of(st.sampled_from([0, 1, 0xFFFE, 0xFFFF, 0x10000, 0xFFFFFFFF]), u32)
payloads = st.binary(max_size=64).map(lambda raw: raw + bytes(-len(raw) % 8))


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """A message whose payload is what its header says."""
    payload = draw(payloads)
    header = Header(
        int(draw(commands)), len(payload), draw(u16), draw(counts), draw(u32), draw(u32)
    )
    return Message(header, payload)


@st.composite
def half_true_bytes(draw: st.DrawFn) -> bytes:
    """Bytes that look like Channel Access for a while: pure noise rarely gets past a header."""
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        size = draw(st.sampled_from([0, 1, 7, 8, 16, 0x7FF8, 0xFFF8, 0xFFFF]))
        command = draw(st.one_of(st.integers(0, 40), u16))
        parts.append(command.to_bytes(2, "big") + size.to_bytes(2, "big"))
        parts.append(draw(st.binary(max_size=40)))
    return b"".join(parts)


noise = st.one_of(st.binary(max_size=80), half_true_bytes())
