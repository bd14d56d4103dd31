import socket
import threading

from edgeworker.cli.demo import wire


def test_the_path_goes_over_the_wire_as_it_was_given() -> None:
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as stream:
                received.extend(iter(stream.readline, b"\r\n"))
                received.append(stream.read(4))
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Name: v\r\nContent-Length: 2\r\n\r\nok")

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        got = wire.call(url, "PUT", "/v//a/+b=/../%2F?expiration=1", {"Authorization": "Bearer t"}, b"body")
        thread.join()

    assert received[0] == b"PUT /v//a/+b=/../%2F?expiration=1 HTTP/1.1\r\n"
    assert received[-1] == b"body"
    assert (got.status, got.headers["x-name"], got.body) == (200, "v", b"ok")
