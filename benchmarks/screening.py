"""Screening a list against a loop of `get_item`: `python -m benchmarks.screening`.

Back end: the emulator (ministack) on loopback, so the ratios say how much the requests cost, not
how far away a table is: on a real network the loop loses by more.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

from local.emulator import forget_real_accounts, running_emulator
from ses_suppression.client import SuppressionList

ADDRESSES = 10_000
LOOPED = 1_000  # the loop is measured on a part: it is the same for every address
ROUNDS = 3


def main() -> None:
    """Measure in turns, and print addresses a second and the ratio."""
    forget_real_accounts()
    with running_emulator("eu-west-1") as emulator:
        dynamodb = emulator.client("dynamodb")
        dynamodb.create_table(
            TableName="suppressions",
            KeySchema=[{"AttributeName": "address", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "address", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        addresses = [f"customer-{number}@example.com" for number in range(ADDRESSES)]
        suppressions = SuppressionList.of_table("suppressions", client=dynamodb)
        for address in addresses[::100]:  # one in a hundred is held back
            suppressions.suppress(address, by="benchmark", note="one in a hundred")

        def loop() -> int:
            for address in addresses[:LOOPED]:
                get_item(dynamodb, address)
            return LOOPED

        def screen() -> int:
            screening = suppressions.screen(addresses)
            if len(screening.suppressed) != ADDRESSES // 100:
                raise RuntimeError("screening gave a wrong answer")
            return ADDRESSES

        rates: dict[str, list[float]] = {"loop of get_item": [], "screen": []}
        for _ in range(ROUNDS):
            rates["loop of get_item"].append(rate(loop))
            rates["screen"].append(rate(screen))
    show(rates)


def get_item(dynamodb: Any, address: str) -> Any:
    """Ask for one address as a user would without this package."""
    return dynamodb.get_item(TableName="suppressions", Key={"address": {"S": address}}).get("Item")


def rate(run: Callable[[], int]) -> float:
    """Give addresses a second."""
    begun = time.perf_counter()
    return run() / (time.perf_counter() - begun)


def show(rates: dict[str, list[float]]) -> None:
    """Print medians, spread and the ratio."""
    table = Table(title=f"Screening {ADDRESSES} addresses, back end: ministack on loopback")
    for heading in ("what", "addresses/s (median)", "least", "most", "ratio"):
        table.add_column(heading, justify="right")
    base = statistics.median(rates["loop of get_item"])
    for name, found in rates.items():
        middle = statistics.median(found)
        row = (f"{value:,.0f}" for value in (middle, min(found), max(found)))
        table.add_row(name, *row, f"{middle / base:.1f}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
