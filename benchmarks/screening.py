"""Screening a list against a loop of `get_item`, and against one address after the other."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from benchmarks.measure import Goal, Result, Row, in_turns, show, taken
from benchmarks.servers import Stub, running_stub
from local.emulator import forget_real_accounts, running_emulator
from ses_suppression.client.suppression_list import SuppressionList

ADDRESSES = 10_000
LOOPED = 1_000  # the loop is measured on a part: it is the same for every address
ONE_IN = 100  # is held back
TABLE_NAME = "suppressions"
CHECKS, SCREEN = "a loop of `check`", "`screen`"
_PERCENT_99 = 98


def results() -> Iterator[Result]:
    """Measure on the emulator, and at a table that is 5 ms away."""
    forget_real_accounts()
    with running_emulator("eu-west-1") as emulator:
        dynamodb = emulator.client("dynamodb")
        dynamodb.create_table(
            TableName=TABLE_NAME,
            KeySchema=[{"AttributeName": "address", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "address", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield compare("screening-emulator", dynamodb, "ministack on loopback", with_goals=True)
    with running_stub(5) as stub:
        back_end = "a stub table on loopback that answers after 5 ms"
        result = compare("screening-stub", stub.client(), back_end, with_goals=False)
        yield replace(result, rows=tuple(with_units(row, stub) for row in result.rows))


def with_units(row: Row, stub: Stub) -> Row:
    """Add what an address costs, where the table is asked."""
    suppressions = SuppressionList.of_table(TABLE_NAME, client=stub.client(), check_seconds=30)
    addresses = [f"customer-{number}@example.com" for number in range(ADDRESSES)]
    asking: Mapping[str, Callable[[], object]] = {
        CHECKS: lambda: [suppressions.check(address) for address in addresses],
        SCREEN: lambda: suppressions.screen(addresses),
    }
    if row.name not in asking:
        return row
    stub.counts()
    asking[row.name]()
    counts = stub.counts()
    more = {
        "requests an address": counts["requests"] / ADDRESSES,
        "read units": counts["read_half_units"] / 2 / ADDRESSES,
    }
    return replace(row, more={**row.more, **more})


def compare(name: str, dynamodb: Any, back_end: str, *, with_goals: bool) -> Result:
    """Fill a table, and ask it in several ways."""
    addresses = [f"customer-{number}@example.com" for number in range(ADDRESSES)]
    filling = SuppressionList.of_table(TABLE_NAME, client=dynamodb)
    for address in addresses[::ONE_IN]:
        filling.suppress(address, by="benchmark", note=f"one in {ONE_IN}")
    suppressions = SuppressionList.of_table(TABLE_NAME, client=dynamodb, check_seconds=30)
    latencies: dict[str, list[float]] = {"get_item": [], "check": []}

    def loop(what: str, ask: Callable[[str], object]) -> float:
        for address in addresses[:LOOPED]:
            latencies[what].append(taken(lambda address=address: ask(address)).wall)  # type: ignore[misc]
        return LOOPED / sum(latencies[what][-LOOPED:])

    def screen() -> float:
        begun = time.perf_counter()
        screening = suppressions.screen(addresses)
        rate = ADDRESSES / (time.perf_counter() - begun)
        _check(len(screening.suppressed), ADDRESSES // ONE_IN)
        return rate

    measured = in_turns(
        {
            "a loop of `get_item`": lambda: loop("get_item", lambda one: get_item(dynamodb, one)),
            CHECKS: lambda: loop("check", suppressions.check),
            SCREEN: screen,
        },
        rounds=3,
    )
    rows = [Row(name=what, values=values) for what, values in measured.items()]
    for index, what in enumerate(latencies):
        one = rows[index]
        rows[index] = Row(name=one.name, values=one.values, more=_percentiles(latencies[what]))
    base, _, screened = rows
    goals = (Goal(what="`screen` against the loop", reached=screened.against(base), goal=25),)
    return Result(
        name=name,
        title=f"Screening {ADDRESSES:,} addresses, of which one in {ONE_IN} is held back",
        back_end=back_end,
        unit="addresses a second",
        rows=tuple(rows),
        goals=goals if with_goals else (),
    )


def get_item(dynamodb: Any, address: str) -> Any:
    """Ask for one address as a user would without this package."""
    return dynamodb.get_item(TableName=TABLE_NAME, Key={"address": {"S": address}}).get("Item")


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100)
    return {"p50, ms": statistics.median(seconds) * 1000, "p99, ms": cuts[_PERCENT_99] * 1000}


def _check(found: int, expected: int) -> None:
    if found != expected:
        raise RuntimeError(f"a wrong answer: {found}, not {expected}")


if __name__ == "__main__":
    show(results())
