"""HTTP beside Channel Access: /metrics, /healthz, /readyz, and a page at /."""

from ioc_ops.web.app import build_app
from ioc_ops.web.service import HttpService

__all__ = ["HttpService", "build_app"]
