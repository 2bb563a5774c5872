"""What stands between the emulator's SNS and an app: it signs, and tries again after a 5xx."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.adapters import over_http
from tests.signed_by_sns import NAME, signed

TRIES = 3
NOBODY = 599  # stands for no answer


class Relay:
    """Passes on what SNS posts.

    Attributes:
        url: that is to be subscribed.
        posted: of each try the kind of message, and what the app answered.
    """

    def __init__(self, app_url: str) -> None:
        self.url = ""
        self.posted: list[tuple[str, int]] = []
        self._app_url = app_url

    def pass_on(self, body: bytes) -> None:
        """Sign a message as the topic's region does, and post it until the app has taken it."""
        message = json.loads(body)
        region = message["TopicArn"].split(":")[3]
        message["SigningCertURL"] = f"https://sns.{region}.amazonaws.com/{NAME}"
        to_post = json.dumps(signed(message)).encode()
        for _ in range(TRIES):
            try:
                status, _text = over_http(self._app_url, to_post, message["Type"])
            except OSError:
                status = NOBODY
            self.posted.append((message["Type"], status))
            if status < 500:
                return


@contextmanager
def running_relay(app_url: str) -> Iterator[Relay]:
    """Run a relay on loopback."""
    relay = Relay(app_url)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer at once, as the emulator waits for no app."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.end_headers()
            relay.pass_on(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        relay.url = f"http://127.0.0.1:{server.server_address[1]}/"
        try:
            yield relay
        finally:
            server.shutdown()
            thread.join()
