"""Certificates of SNS: fetched once, few at a time, limited in time and in size."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest

from local.waiting import wait_for
from ses_suppression.integrations.sns_signatures import (
    Certificates,
    RefusedMessageError,
    fetch_certificate,
)
from tests.signed_by_sns import HOST, URL, certificate


class Hanging:
    """A server of certificates that does not answer before it may."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.asked: list[str] = []

    def fetch(self, url: str) -> bytes:
        self.asked.append(url)
        assert self.may_answer.wait(10)
        return certificate()


def urls(number: int) -> list[str]:
    return [f"{HOST}/SimpleNotificationService-{index:032}.pem" for index in range(number)]


def refusal(certificates: Certificates, url: str) -> tuple[int, str]:
    with pytest.raises(RefusedMessageError) as refused:
        certificates.get(url)
    return refused.value.status, str(refused.value)


def test_few_certificates_are_fetched_at_a_time_and_no_message_waits_for_long() -> None:
    server = Hanging()
    certificates = Certificates(server.fetch, seconds=0.01)
    named = urls(64)
    try:
        for url in (*named, named[0]):
            assert refusal(certificates, url) == (
                503,
                "the certificate cannot be fetched: TimeoutError",
            )
        assert refusal(certificates, URL) == (503, "too many certificates are being fetched")
        wait_for("the four", lambda: len(server.asked) == 4, seconds=5)
        assert sorted(server.asked) == named[:4]
    finally:
        server.may_answer.set()
    wait_for("what was fetched late", lambda: kept(certificates, named[-1]), seconds=5)
    wait_for("all", lambda: len(server.asked) == len(named), seconds=5)
    assert sorted(server.asked) == named, "once each"


def test_messages_that_name_the_same_certificate_wait_for_one_fetch() -> None:
    server = Hanging()
    certificates = Certificates(server.fetch, seconds=10)
    with ThreadPoolExecutor(20) as threads:
        waiting = [threads.submit(certificates.get, URL) for _ in range(20)]
        wait_for("the fetch", lambda: server.asked, seconds=5)
        server.may_answer.set()
        assert len({id(task.result(10)) for task in waiting}) == 1
    assert server.asked == [URL]


def test_a_certificate_is_waited_for_while_others_are_named_that_are_none() -> None:
    server = Hanging()
    certificates = Certificates(server.fetch, seconds=10)
    with ThreadPoolExecutor(20) as threads:
        others = [threads.submit(kept, certificates, url) for url in urls(8)]
        wait_for("what hangs", lambda: len(server.asked) == 4, seconds=5)
        ours = threads.submit(certificates.get, URL)
        server.may_answer.set()
        ours.result(10)
        assert [task.result(10) for task in others] == [True] * 8


def kept(certificates: Certificates, url: str) -> bool:
    try:
        certificates.get(url)
    except RefusedMessageError:
        return False
    return True


def test_a_certificate_in_use_is_kept_whatever_others_are_named() -> None:
    fetched: list[str] = []

    def fetch(url: str) -> bytes:
        fetched.append(url)
        return certificate()

    certificates = Certificates(fetch)
    for url in urls(40):
        certificates.get(URL)
        certificates.get(url)
    assert fetched.count(URL) == 1


def test_certificates_that_do_not_exist_displace_none() -> None:
    fetched: list[str] = []

    def fetch(url: str) -> bytes:
        fetched.append(url)
        if url != URL:
            raise FileNotFoundError(url)
        return certificate()

    certificates = Certificates(fetch)
    certificates.get(URL)
    assert [kept(certificates, url) for url in urls(40)] == [False] * 40
    certificates.get(URL)
    assert fetched.count(URL) == 1


class _Server(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/certificate")
            self.end_headers()
        elif self.path == "/trickling":
            self.send_response(200)
            self.end_headers()
            with suppress(ConnectionError):
                for _ in range(1_000):
                    self.wfile.write(b"x")
                    threading.Event().wait(0.01)
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * 100_000 if self.path == "/large" else b"certificate")

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def test_a_certificate_is_fetched_without_redirects_and_no_more_than_is_sensible() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            assert fetch_certificate(f"{url}/certificate") == b"certificate"
            with pytest.raises(OSError, match="302"):
                fetch_certificate(f"{url}/redirect")
            with pytest.raises(OSError, match="too large"):
                fetch_certificate(f"{url}/large")
            with pytest.raises(TimeoutError, match="too slowly"):
                fetch_certificate(f"{url}/trickling", seconds=0.5)
        finally:
            server.shutdown()
            thread.join()
    assert _Server.asked == ["/certificate", "/redirect", "/large", "/trickling"]
