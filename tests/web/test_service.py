"""HTTP over a real socket: start, serve, stop, and what can go wrong with the port."""

import json
import logging
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from descriptors import no_descriptor_left

from ioc_ops.errors import ConfigurationError
from ioc_ops.web import HttpService
from ioc_ops.web.service import _ABORT, _GRACE

Serve = Callable[..., HttpService]


def get(service: HttpService, path: str = "/metrics") -> tuple[int, str]:
    """Status and body; the service is asked as its users ask it."""
    url = service.url.removesuffix("/metrics") + path
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def wait_until_blocked(service: HttpService) -> None:
    """Until a connection of the service can take no more: nothing else tells that it is so."""
    deadline = time.monotonic() + 20
    state = service._server.server_state
    while not any(connection.flow.write_paused for connection in tuple(state.connections)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_for_end(threads: set[threading.Thread]) -> None:
    """Until there are no others than these: on a busy machine one that was told to end may last."""
    for thread in set(threading.enumerate()) - threads:
        thread.join(20)
        assert not thread.is_alive()


def test_it_answers_as_soon_as_start_has_returned(serve: Serve) -> None:
    status, text = get(serve())
    assert status == 200
    assert 'epics_ioc_pvs{ioc="sim<1>"} 3.0' in text


def test_it_answers_while_the_thread_that_started_it_is_stuck(
    serve: Serve, context: SimpleNamespace
) -> None:
    context.heartbeat = time.monotonic() - 12
    service = serve()
    # This thread is the IOC's loop: nothing here yields to the service.
    status, text = get(service, "/healthz")
    assert status == 503
    said = re.fullmatch(r"the IOC's loop has been stuck for (\d+) s", json.loads(text)["message"])
    assert said is not None
    assert 12 <= int(said[1]) <= 1 + time.monotonic() - context.heartbeat


def test_without_descriptors_it_says_so_once_and_goes_on(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    service = serve()
    assert get(service)[0] == 200  # what it needs itself is there
    port = int(service.url.rpartition(":")[2].partition("/")[0])
    clients = [socket.socket() for _ in range(8)]
    try:
        with no_descriptor_left():
            for client in clients:
                client.connect(("127.0.0.1", port))
            deadline = time.monotonic() + 20
            while not caplog.records:
                assert time.monotonic() < deadline
                time.sleep(0.01)
    finally:
        for client in clients:
            client.close()
    assert get(service)[0] == 200
    (record,) = caplog.records
    assert "no HTTP connection can be accepted: Too many open files; " in record.getMessage()


def test_url_names_the_port_that_was_taken(serve: Serve) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/metrics", serve(port=0).url)


def has_ipv6() -> bool:
    """Whether this machine has a loopback interface for IPv6."""
    with suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_url_of_an_ipv6_address_is_in_brackets(serve: Serve) -> None:
    service = serve(host="::1")
    assert service.url.startswith("http://[::1]:")
    assert get(service, "/readyz")[0] == 200


def test_there_is_no_url_before_the_start() -> None:
    with pytest.raises(RuntimeError, match="not been started"):
        _ = HttpService("127.0.0.1", 0).url


def test_a_port_in_use_is_refused_in_one_line_that_says_what_to_do(
    serve: Serve, context: SimpleNamespace
) -> None:
    taken = int(serve().url.split(":")[2].split("/")[0])
    with pytest.raises(ConfigurationError) as refusal:
        HttpService("127.0.0.1", taken).start(context)
    text = str(refusal.value)
    assert f"127.0.0.1 port {taken}" in text
    assert "--metrics-port" in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("host", "port", "remedy"),
    [
        ("192.0.2.1", 0, "--metrics-host"),  # an address that no machine has (RFC 5737)
        ("no..host", 0, "--metrics-host"),
        ("a" * 300, 0, "--metrics-host"),
        ("127.0.0.1", 65536, "--metrics-port"),
        ("127.0.0.1", -1, "--metrics-port"),
    ],
)
def test_an_unusable_host_or_port_is_refused_with_the_remedy(
    context: SimpleNamespace, host: str, port: int, remedy: str
) -> None:
    service = HttpService(host, port)
    with pytest.raises(ConfigurationError) as refusal:
        service.start(context)
    text = str(refusal.value)
    assert host in text
    assert f"port {port}" in text
    assert remedy in text
    assert "\n" not in text
    service.stop()  # of what never started: does nothing


def test_stop_frees_the_port_and_the_thread_and_may_be_called_again(
    serve: Serve, free_port: Callable[[], int]
) -> None:
    threads = set(threading.enumerate())
    port = free_port()
    service = serve(port=port)
    get(service)
    service.stop()
    wait_for_end(threads)
    service.stop()
    again = serve(port=port)
    assert get(again)[0] == 200


def test_stop_right_after_start_is_clean(serve: Serve) -> None:
    for _ in range(5):
        serve().stop()


def test_stop_is_bounded_by_a_second() -> None:
    assert _GRACE + _ABORT < 1.0


def test_stop_is_bounded_whatever_the_clients_do(serve: Serve) -> None:
    threads = set(threading.enumerate())
    service = serve()
    host, port = "127.0.0.1", int(service.url.split(":")[2].split("/")[0])
    silent, slow, kept = (socket.create_connection((host, port)) for _ in range(3))
    with silent, slow, kept:
        slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")  # and never the empty line
        kept.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert kept.recv(100).startswith(b"HTTP/1.1 200")
        greedy = socket.socket()
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        with greedy:
            greedy.connect((host, port))
            # Many answers that nobody reads: the service cannot get rid of them.
            greedy.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 1000)
            wait_until_blocked(service)
            began = time.monotonic()
            service.stop()
            # Without a bound it would be for ever; the machine may stand still for a while.
            assert time.monotonic() - began < 10
            wait_for_end(threads)


def test_garbage_gets_an_http_error_and_harms_nobody(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    service = serve()
    port = int(service.url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"\x00\x01 not http at all\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 400")
    assert get(service)[0] == 200


def test_requests_leave_no_line_in_the_log(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        service = serve()
        for path in ("/", "/metrics", "/healthz", "/nowhere"):
            get(service, path)
        service.stop()
    assert [record.getMessage() for record in caplog.records] == []


def test_signal_handlers_stay_those_of_the_ioc(serve: Serve) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    service = serve()
    get(service)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_an_ioc_without_metrics_does_not_import_the_http_stack() -> None:
    program = (
        "import sys, ioc_ops.server, ioc_ops.autosave, ioc_ops.status\n"
        "print([m for m in ('starlette', 'uvicorn', 'prometheus_client') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("host", "told"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", socket.gethostname())]
)
def test_prometheus_is_told_an_address_that_it_can_use(
    serve: Serve, tmp_path: Path, host: str, told: str
) -> None:
    service = serve(host=host, sd_dir=tmp_path)
    port = service.url.split(":")[2].split("/")[0]
    [file] = tmp_path.iterdir()
    [group] = json.loads(file.read_text())
    assert group == {"targets": [f"{told}:{port}"], "labels": {"ioc": "sim<1>", "prefix": ""}}
    service.stop()
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_cannot_be_used_leaves_no_port_behind(
    context: SimpleNamespace, tmp_path: Path
) -> None:
    service = HttpService("127.0.0.1", 0, sd_dir=tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match="--metrics-sd"):
        service.start(context)
    service.stop()
