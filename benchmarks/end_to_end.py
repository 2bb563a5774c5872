"""From a mail to its verdict: `send_email` at the emulator until the table says so."""

import statistics
import time
from collections.abc import Iterator

from benchmarks.measure import Goal, Result, Row, show
from local.deployment import deploy, read_config
from local.emulator import Emulator, forget_real_accounts, running_emulator
from local.mailbox_simulator import send_mail, sender_of, verify_identities
from local.waiting import wait_for
from ses_suppression.client.suppression_list import SuppressionList
from ses_suppression.store.dynamodb import DynamoDBStore

MAILS = 200
PERCENT_95 = 94  # of the 99 cuts that make a hundred parts


def results() -> Iterator[Result]:
    """Let mails bounce one after the other."""
    forget_real_accounts()
    config = read_config()
    with running_emulator(config.region) as emulator:
        verify_identities(emulator, config)
        store = DynamoDBStore(emulator.client("dynamodb"), deploy(emulator).table_name)
        suppressions = SuppressionList(store, check_seconds=30)
        seconds = [
            _seconds(emulator, suppressions, sender_of(config), number) for number in range(MAILS)
        ][1:]  # the first waits for a function to start
    p95 = statistics.quantiles(seconds, n=100)[PERCENT_95]
    yield Result(
        name="end-to-end",
        title=f"From `send_email` to the verdict, {len(seconds)} mails, one after the other",
        back_end="ministack on loopback",
        unit="seconds",
        rows=(Row(name="ours", values=tuple(seconds), more={"p95": p95}),),
        goals=(Goal(what="p95, seconds", reached=p95, goal=2, at_most=True),),
    )


def _seconds(emulator: Emulator, suppressions: SuppressionList, sender: str, number: int) -> float:
    address = f"bounce+{number}@simulator.amazonses.com"
    begun = time.perf_counter()
    send_mail(emulator, sender, address)
    wait_for("the verdict", lambda: suppressions.check(address), seconds=60)
    return time.perf_counter() - begun


if __name__ == "__main__":
    show(results())
