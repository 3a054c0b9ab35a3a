import socket
import threading
import urllib.request

import pytest

from connect.service.errors import EnvironmentProblem
from connect.service.listeners import Server, serve


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello " + environ["PATH_INFO"].encode()]


def get(port, path="/x"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        return answer.read()


def test_an_app_is_served_on_a_free_port_until_it_is_stopped():
    server = serve(hello, "http://127.0.0.1:0")
    assert get(server.port) == b"hello /x"
    server.stop()
    with pytest.raises(OSError, match="refused"):
        get(server.port)


def test_requests_before_there_is_an_app_wait_for_it():
    server = Server("http://127.0.0.1:0")
    answers = []
    early = threading.Thread(target=lambda: answers.append(get(server.port)))
    early.start()
    server.serve(hello)
    early.join(5)
    server.stop()
    assert answers == [b"hello /x"]


def test_a_port_in_use_is_one_clear_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentProblem) as caught:
            serve(hello, f"http://127.0.0.1:{port}")
    assert str(caught.value) == (
        f"Cannot listen on http://127.0.0.1:{port}: the port is in use by another program. Stop that, or choose another port."
    )


def test_a_foreign_address_is_one_clear_line():
    with pytest.raises(EnvironmentProblem, match="this machine has no such address"):
        serve(hello, "http://192.0.2.1:8083")
