"""`docs/cost.md`: what a million notifications and a million checks cost, by counted requests.

What is counted is in `benchmarks/results.json`: `make bench` writes it, `make docs` this page.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.ingest import OURS
from benchmarks.measure import Result, Row, read
from benchmarks.page import RESULTS
from benchmarks.screening import CHECKS, SCREEN
from docs.diagram import TEMPLATE
from ses_suppression.deployment import NotificationType
from stacks.feedback_channel import BATCHING, MAX_CONCURRENCY, MEMORY_MB

MILLION = 1_000_000
READ_ON = "November 2026"
SNS_PUBLISH = 0.50 / MILLION
SNS_HTTPS = 0.60 / MILLION
SQS_REQUEST = 0.40 / MILLION
LAMBDA_REQUEST = 0.20 / MILLION
LAMBDA_GB_SECOND = 0.0000133334  # arm64
READ_UNIT = 0.125 / MILLION
WRITE_UNIT = 0.625 / MILLION
LOG_GB = 0.50
KMS_REQUEST = 0.03 / 10_000
KMS_KEY_A_MONTH = 1.00
ALARM_A_MONTH = 0.10
METRIC_A_MONTH = 0.30
DASHBOARD_A_MONTH = 3.00

PRICES: Mapping[str, str] = {
    "SNS, a publish": f"${SNS_PUBLISH * MILLION:.2f} a million; to SQS and Lambda it delivers free",
    "SNS, a delivery by HTTPS": f"${SNS_HTTPS * MILLION:.2f} a million",
    "SQS, a request": f"${SQS_REQUEST * MILLION:.2f} a million",
    "Lambda, an invocation": f"${LAMBDA_REQUEST * MILLION:.2f} a million",
    "Lambda, arm64": f"${LAMBDA_GB_SECOND:.10f} a GB-second",
    "DynamoDB on demand, a read unit": f"${READ_UNIT * MILLION:.3f} a million",
    "DynamoDB on demand, a write unit": f"${WRITE_UNIT * MILLION:.3f} a million",
    "CloudWatch Logs": f"${LOG_GB:.2f} a GB",
    "CloudWatch, an alarm, a metric, a dashboard": (
        f"${ALARM_A_MONTH:.2f}, ${METRIC_A_MONTH:.2f}, ${DASHBOARD_A_MONTH:.2f} a month"
    ),
    "KMS, a key, a request": f"${KMS_KEY_A_MONTH:.2f} a month, ${KMS_REQUEST * 10_000:.2f} for 10,000",
}

A_VCPU_MB = 1769  # "Configure Lambda function memory": at so many a function has one vCPU
POLL_MESSAGES = 10  # of SQS at once; Lambda polls, and gathers a batch
POLLERS, POLL_SECONDS = 5, 20
KEY_MINUTES = 5  # so long SQS, SNS and DynamoDB use a data key again
CANARY_METRICS = 6  # seconds, failed; applied, its rule, suppressions, suppressions by provider
REPORT_BYTES = 300  # START, END and REPORT of one invocation
HOURS_A_MONTH = 730
SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way of a notification from SES to the table, for a million of them.

    Attributes:
        name: of the column.
        batch: how many come with an invocation.
        row: what was counted.
        by_queue: whether a queue stands between topic and function.
    """

    name: str
    batch: int
    row: Row
    by_queue: bool

    def parts(self) -> Mapping[str, float]:
        """Give dollars for each part."""
        more = self.row.more
        messages = min(self.batch, POLL_MESSAGES)
        sqs = 1 + 2 / messages if self.by_queue else 0.0
        log_bytes = more.get("bytes of log", 0.0) + REPORT_BYTES / self.batch
        each = {
            "SNS": SNS_PUBLISH,
            "SQS": sqs * SQS_REQUEST,
            "Lambda, invocations": LAMBDA_REQUEST / self.batch,
            "Lambda, time": self.seconds * MEMORY_MB / 1024 * LAMBDA_GB_SECOND,
            "DynamoDB, reads": more["read units"] * READ_UNIT,
            "DynamoDB, writes": more["write units"] * WRITE_UNIT,
            "logs": log_bytes / 1e9 * LOG_GB,
        }
        return {part: dollars * MILLION for part, dollars in each.items()}

    @property
    def seconds(self) -> float:
        """What an event takes: the waiting that was measured, and the CPU on a part of a vCPU.

        Of a batch it is an upper bound, since there one waits while others work.
        """
        cpu = self.row.more["CPU, µs an event"] / 1e6
        return max(0.0, 1 / self.row.median - cpu) + cpu * A_VCPU_MB / MEMORY_MB


def cost_page() -> str:
    """Give the text of `docs/cost.md`."""
    return "\n".join(_cost_page(read(RESULTS))) + "\n"


def _cost_page(results: Mapping[str, Result]) -> Iterator[str]:
    whole, single = results["ingest-100"], results["ingest-001"]
    ours = Way(name="ours, full batches", batch=100, row=_row(whole, OURS), by_queue=True)
    alone = Way(name="ours, one at a time", batch=1, row=_row(single, OURS), by_queue=True)
    direct = replace(alone, name="ours, called by SNS without a queue", by_queue=False)
    yield "# Cost"
    yield ""
    yield "<!-- made by `make docs` from docs/cost.py and benchmarks/results.json -->"
    yield ""
    yield (
        f"List prices of us-east-1 in US dollars, as of {READ_ON}, without the free tiers; `docs/cost.py` "
        "has them, and the arithmetic. What a notification asks of AWS was counted by "
        "[the benchmarks](performance.md), not assumed; AWS's own bill was not seen."
    )
    yield ""
    yield "## A million notifications"
    yield ""
    yield (
        "Bounces of addresses that nothing is known about yet: a look-up and a write each. "
        "With little traffic a batch is one message, in a flood it is a hundred; the bill is between the first "
        "two columns. The third is the same function in the usual place: no queue, an invocation for each "
        "notification, and two retries before a message is lost. A handler that only writes would save the look-up, and decide nothing."
    )
    yield ""
    yield from _ways([ours, alone, direct])
    yield ""
    queue = sum(alone.parts().values()) - sum(direct.parts().values())
    spared = sum(direct.parts().values()) - sum(ours.parts().values())
    more_or_less = "less" if spared > 0 else "more"
    yield (
        f"So the queue costs ${queue:.2f} a million where nothing is batched; where batches are full the whole costs "
        f"${abs(spared):.2f} {more_or_less} than without it. A repeat costs no write; a further bounce makes a larger item, and from 1 KB on a write costs two units. A delivery of an address without a bounce costs "
        f"{_delivery_reads(results):.2f} read units and no write; SNS, SQS and Lambda as above. "
        f"An app's endpoint adds ${SNS_HTTPS * MILLION:.2f} a million."
    )
    yield ""
    yield "## A million checks"
    yield ""
    yield from _checks(results["screening-stub"])
    yield ""
    yield "## A month at rest"
    yield ""
    yield from _rest()
    yield ""
    yield "## Where AWS's limits are met"
    yield ""
    yield from _limits(ours)
    yield ""
    yield "## Prices"
    yield ""
    yield "| what | price |"
    yield "|---|---|"
    for what, price in PRICES.items():
        yield f"| {what} | {price} |"


def _row(result: Result, name: str) -> Row:
    return next(row for row in result.rows if row.name == name)


def _ways(ways: Sequence[Way]) -> Iterator[str]:
    yield f"| part | {' | '.join(way.name for way in ways)} |"
    yield f"|---|{'---|' * len(ways)}"
    for part in ways[0].parts():
        yield f"| {part} | {' | '.join(f'${way.parts()[part]:.2f}' for way in ways)} |"
    totals = (f"**${sum(way.parts().values()):.2f}**" for way in ways)
    yield f"| **all** | {' | '.join(totals)} |"


def _delivery_reads(results: Mapping[str, Result]) -> float:
    return next(
        row.more["read units"]
        for row in results["deliveries-identity"].rows
        if "read units" in row.more
    )


def _checks(result: Result) -> Iterator[str]:
    yield "| how | requests an address | read units an address | dollars a million |"
    yield "|---|---|---|---|"
    for name in (CHECKS, SCREEN):
        more = _row(result, name).more
        dollars = more["read units"] * READ_UNIT * MILLION
        yield f"| {name} | {more['requests an address']:.2f} | {more['read units']:.2f} | ${dollars:.2f} |"


def standing(template: Mapping[str, Any]) -> Mapping[str, float]:
    """Return what a template costs a month while nobody sends, in dollars for each part."""
    resources = template["Resources"].values()
    types = Counter(resource["Type"] for resource in resources)
    queues, alarms = types["AWS::Lambda::EventSourceMapping"], types["AWS::CloudWatch::Alarm"]
    # An alarm on several metrics costs each of them.
    metrics = sum(
        max(1, sum("MetricStat" in one for one in resource["Properties"].get("Metrics", ())))
        for resource in resources
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    )
    polls = queues * POLLERS * 3600 / POLL_SECONDS * HOURS_A_MONTH
    # SQS asks for two of each who sends, and for one of each who receives ("AWS KMS permissions",
    # SQS developer guide). One that nobody uses asks for none.
    keys = 3 * types["AWS::SQS::Queue"] + 2 * types["AWS::SNS::Topic"] + 2
    key_requests = keys * 60 / KEY_MINUTES * HOURS_A_MONTH
    return {
        f"SQS: {POLLERS} long polls of {POLL_SECONDS} s at a time on each of {queues} queues": polls
        * SQS_REQUEST,
        f"KMS: the key, and about {keys} requests every {KEY_MINUTES} minutes, were all in use": (
            KMS_KEY_A_MONTH + key_requests * KMS_REQUEST
        ),
        f"CloudWatch: {alarms} alarms on {metrics} metrics": metrics * ALARM_A_MONTH,
        f"CloudWatch: {CANARY_METRICS} metrics that the canary's bounce writes every hour": CANARY_METRICS
        * METRIC_A_MONTH,
        "CloudWatch: the dashboard": DASHBOARD_A_MONTH,
    }


def _rest() -> Iterator[str]:
    parts = standing(json.loads(TEMPLATE.read_text()))
    yield "| part | dollars |"
    yield "|---|---|"
    for what, dollars in parts.items():
        yield f"| {what} | ${dollars:.2f} |"
    yield f"| **all** | **${sum(parts.values()):.2f}** |"
    yield ""
    yield (
        f"Every other metric of ours costs ${METRIC_A_MONTH:.2f} a month, by the hour in which something was counted for "
        "it: a rule that nothing met costs nothing. Not in it: what the table stores, with its point-in-time "
        "recovery, and the canary's own mail and invocations, which are cents."
    )


def _limits(ours: Way) -> Iterator[str]:
    rate, writes = 1 / ours.seconds, ours.row.more["write units"]
    mapping = MAX_CONCURRENCY * rate
    yield (
        f"A function of {MEMORY_MB} MB has {MEMORY_MB / A_VCPU_MB:.2f} of a vCPU; with it an event takes "
        f"{ours.seconds * 1000:.1f} ms, by the CPU that was measured. What is beyond a limit waits on the queue, "
        "for up to fourteen days: late, not lost."
    )
    yield ""
    yield "| limit | of AWS, unless raised | is met at | then |"
    yield "|---|---|---|---|"
    yield (
        f"| a mapping's concurrency | {MAX_CONCURRENCY} functions a kind, ours (`MAX_CONCURRENCY`) | {mapping:,.0f} new bounces a second, "
        f"{mapping * SECONDS_A_DAY / MILLION:,.0f} million a day; the alarms `Old` and `GivenBack` tell | more memory for the "
        "functions (a whole vCPU at 1,769 MB), then a higher `MAX_CONCURRENCY` |"
    )
    yield (
        f"| Lambda's concurrency | 1,000 of an account, fewer of a new one | where other functions use it up: this stack takes {3 * MAX_CONCURRENCY} and a few | "
        "a quota that AWS raises, or reserved concurrency; `BouncesFunctionThrottles` tells |"
    )
    yield (
        "| a partition of the table | 1,000 write units and 3,000 read units a second | one address: a batch "
        f"is one write, so at most {MAX_CONCURRENCY} functions write it at a time, and one of them wins | nothing: what was "
        "throttled is tried again |"
    )
    yield (
        "| a new table on demand | 4,000 write units a second at first; it doubles within half an hour | "
        f"{4_000 / writes:,.0f} new bounces a second | warm throughput before a migration; else the queue holds "
        "the rest |"
    )
    yield (
        f"| a table on demand | 40,000 units a second | {40_000 / writes:,.0f} new bounces a second | a quota that AWS raises |"
    )
    yield (
        f"| messages in flight of a queue | 120,000 | an outage of the table while millions of deliveries come: what was given back stays in "
        f"flight until it is seen again, {MAX_CONCURRENCY} batches of {BATCHING[NotificationType.DELIVERY].size:,} at a time | nothing: "
        "SQS hands out no more until some are seen again |"
    )
    yield (
        "| publishes to topics | some thousand a second of an account in a region, more in the large ones | SES's own "
        "sending rate, long before | a quota that AWS raises |"
    )
