"""Mail that goes on while something else changes."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from local.emulator import Emulator
from local.mailbox_simulator import SIMULATOR, send_mail


@contextmanager
def mail_in_flight(emulator: Emulator, sender: str) -> Iterator[list[str]]:
    """Send mail that bounces, one after the other, until the block ends; give to whom."""
    addresses: list[str] = []
    enough = threading.Event()

    def send() -> None:
        while not enough.wait(0.4):
            address = f"bounce+{uuid.uuid4().hex}@{SIMULATOR}"
            send_mail(emulator, sender, address)
            addresses.append(address)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield addresses
    finally:
        enough.set()
        thread.join()
