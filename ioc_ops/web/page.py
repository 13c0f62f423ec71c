"""The page at ``/``: what this is and where to look."""

from html import escape

from ioc_ops.status import ServerReading

__all__ = ["LINKS", "render"]

LINKS = (
    ("/metrics", "metrics for Prometheus"),
    ("/healthz", "is the event loop alive?"),
    ("/readyz", "is the IOC ready for clients?"),
)

_TEMPLATE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{name} - ioc_ops</title>
<style>body{{font-family:sans-serif;margin:2rem;max-width:40rem}}td{{padding-right:2rem}}</style>
<h1>{name}</h1>
<table>
{rows}
</table>
<ul>
{links}
</ul>
</html>
"""


def render(name: str, state: str, health: str, server: ServerReading) -> str:
    """The page as HTML; every argument is shown as text, whatever it contains."""
    facts = (
        ("State", state),
        ("Event loop", health),
        ("PVs", server.pvs),
        ("Clients", server.clients),
        ("Channels", server.channels),
        ("Monitors", server.subscriptions),
    )
    return _TEMPLATE.format(
        name=escape(name or "IOC"),
        rows="\n".join(
            f"<tr><td>{label}</td><td>{escape(str(value))}</td></tr>" for label, value in facts
        ),
        links="\n".join(f'<li><a href="{path}">{path}</a> {text}</li>' for path, text in LINKS),
    )
