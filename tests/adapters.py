"""The adapters of docs/webhook.md as they stand there, served over HTTP."""

import importlib.util
import re
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from werkzeug.serving import make_server

from local.waiting import wait_for
from ses_suppression.integrations.webhook import Received

PAGE = (Path(__file__).parent.parent / "docs" / "webhook.md").read_text()
SECTIONS = {  # each has one
    section.partition("\n")[0]: code
    for section in PAGE.split("\n## ")
    for code in re.findall(r"^```python\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
}
FRAMEWORKS = ("FastAPI", "Starlette", "Flask")


def page_code(section: str, **names: Any) -> dict[str, Any]:
    """Import the code of a section as the module of an app that has these names; give all names."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shop.py"
        path.write_text(SECTIONS[section])
        spec = importlib.util.spec_from_file_location("shop", path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        vars(module).update(names)
        spec.loader.exec_module(module)
    return vars(module)


def adapter(
    section: str, *, topics: set[str], handle: Callable[[Received], None], **options: Any
) -> dict[str, Any]:
    """Import an adapter; give its names.

    Args:
        section: its heading.
        topics: in place of the page's.
        handle: what the app does.
        options: of `receive`, that the page leaves as they are.
    """
    names = page_code(section, handle=handle)
    names["TOPICS"] = topics
    names["receive"] = partial(names["receive"], **options)
    return names


@contextmanager
def serving(framework: str, **options: Any) -> Iterator[str]:
    """Serve an adapter; give its URL."""
    if framework == "Flask":
        with _serving_flask(adapter("Flask", **options)["app"]) as url:
            yield f"{url}/ses"
        return
    names = adapter("FastAPI and Starlette", **options)
    app = names["app"]
    if framework == "Starlette":
        app = Starlette(routes=[Route("/ses", names["ses"], methods=["POST"])])
    with _serving_asgi(app) as url:
        yield f"{url}/ses"


@contextmanager
def _serving_flask(app: Any) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def _serving_asgi(app: Any) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for("uvicorn", lambda: server.started, seconds=10)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def over_http(url: str, body: bytes, kind: str = "Notification") -> tuple[int, str]:
    """Post as SNS does; give status and text of the answer."""
    headers = {"Content-Type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": kind}
    request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310  # loopback
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
