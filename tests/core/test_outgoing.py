from __future__ import annotations

import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from lms.core.outgoing import AddressRefused, check_address, fetch, send


def open_up(app, monkeypatch, **values) -> None:
    changed = app.extensions["settings"].model_copy(update=values)
    monkeypatch.setitem(app.extensions, "settings", changed)


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/", "https://localhost/", "https://10.0.0.1/", "https://192.168.1.1/",
        "https://172.16.0.1/", "https://169.254.169.254/", "https://100.64.0.1/", "https://0.0.0.0/",
        "https://[::1]/", "https://[fc00::1]/", "https://[fe80::1]/", "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::a00:1]/", "https://[2002:a00:1::]/", "https://224.0.0.1/",
        "http://example.org/", "http://127.0.0.1/", "file:///etc/passwd", "https://", "https:///x",
        "https://user:word@example.org/", "https://example.org:0/", "https://exa mple.org/",
        "https://example.org/\r\nX: y", "", "//example.org/",
    ],
)  # fmt: skip
def test_addresses_that_are_refused(app, url):
    with pytest.raises(AddressRefused):
        check_address(url)


@pytest.mark.parametrize("url", ["https://example.org/xapi/", "https://93.184.216.34:8443/"])
def test_public_addresses_are_fine(app, url):
    check_address(url)


def test_a_setting_opens_the_own_network_but_not_plain_http(app, monkeypatch):
    open_up(app, monkeypatch, private_addresses=True)

    check_address("https://10.0.0.1/")
    with pytest.raises(AddressRefused):
        check_address("http://10.0.0.1/")


def test_the_demo_may_reach_this_machine_and_no_other(app, monkeypatch):
    open_up(app, monkeypatch, demo=True)

    check_address("http://127.0.0.1:8000/xapi/")
    check_address("http://localhost:8000/xapi/")
    for url in ("http://10.0.0.1/", "https://10.0.0.1/"):
        with pytest.raises(AddressRefused):
            check_address(url)


def test_a_name_that_stands_for_a_private_address_is_refused(app, monkeypatch):
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_values: answers)
    check_address("https://inside.example.org/")

    with pytest.raises(AddressRefused):
        send("GET", "https://inside.example.org/", b"", {})


def test_a_redirect_is_not_followed(app, monkeypatch):
    open_up(app, monkeypatch, debug=True)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    answer = send("POST", f"http://127.0.0.1:{server.server_port}/", b"{}", {})

    server.shutdown()
    server.server_close()
    assert (answer.status, answer.headers["location"]) == (302, "http://169.254.169.254/")


def test_a_head_that_drips_is_cut_off(app, monkeypatch):
    open_up(app, monkeypatch, verify_local=True)
    server = socket.create_server(("127.0.0.1", 0))
    has_ended = threading.Event()

    def drip() -> None:
        link, _address = server.accept()
        with link:
            link.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not has_ended.wait(0.05):
                try:
                    link.sendall(b"x")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    started = time.monotonic()
    try:
        with pytest.raises(OSError):
            fetch(f"http://127.0.0.1:{server.getsockname()[1]}/", at_most=100, seconds=0.3)
        assert time.monotonic() - started < 5
    finally:
        has_ended.set()
        thread.join()
        server.close()
