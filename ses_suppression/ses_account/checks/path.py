"""Do the topics, queues, functions, key and table let feedback through?"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

from ses_suppression.arns import region_and_name
from ses_suppression.core.address import SIMULATOR_DOMAIN
from ses_suppression.deployment import (
    METRIC_NAMESPACE,
    ChannelOutput,
    Dimension,
    Metric,
    NotificationType,
    StackOutput,
)
from ses_suppression.ses_account.canary import run_canary
from ses_suppression.ses_account.checks.identities import DEPLOY
from ses_suppression.ses_account.environment import Environment
from ses_suppression.ses_account.health import Finding, Level
from ses_suppression.store.deadline import Deadline

_SUBSCRIBE_AGAIN = (
    "see that the app is up; read its queue of what it did not take, which may go with the next "
    "step; take it out of `endpoints`, deploy, put it in again, deploy"
)
_NOT_OURS = "it is not of this stack: ask its owner to confirm it"
_TABLE_SECONDS = 60.0
_ROUND_TRIP_SECONDS = 60
_OLD_SECONDS = 15 * 60


def check_table(environment: Environment) -> Iterator[Finding]:
    """Read from the table."""
    address = f"doctor@{SIMULATOR_DOMAIN}"
    found = environment.store.find_many([address], deadline=Deadline(_TABLE_SECONDS))
    for failure in found.failures.values():
        raise failure
    yield Finding("table", Level.OK, f"{environment.table} answers")


def check_time_to_live(environment: Environment) -> Iterator[Finding]:
    """Look whether the table deletes what has served its purpose."""
    check, (region, name) = "time to live", region_and_name(environment.table)
    answer = environment.client("dynamodb", region).describe_time_to_live(TableName=name)
    if answer["TimeToLiveDescription"].get("TimeToLiveStatus") in {"ENABLED", "ENABLING"}:
        yield Finding(check, Level.OK, "on")
    else:
        found = "off: what has served its purpose is never deleted"
        yield Finding(check, Level.WARNING, found, "turn it on, by expires_at")


def check_subscriptions(environment: Environment) -> Iterator[Finding]:
    """Look whether each topic fills its queue, and whether the apps have confirmed."""
    stack, sns = environment.stack, environment.client("sns")
    for kind, topic in stack.topics.items():
        pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
        subscriptions = [one for page in pages for one in page["Subscriptions"]]
        queue = _name(stack.channel(ChannelOutput.QUEUE_URL, kind))
        yield _read_subscription(kind, queue, subscriptions)
        configured = stack.outputs.get(ChannelOutput.ENDPOINTS.of(kind), "").split()
        yield from _read_endpoints(kind, configured, subscriptions)


def _read_subscription(
    kind: NotificationType, queue: str, subscriptions: Iterable[Mapping[str, Any]]
) -> Finding:
    check = f"subscription of {kind.plural}"
    ours = [one for one in subscriptions if one["Endpoint"].endswith(f":{queue}")]
    if any(map(_is_confirmed, ours)):
        return Finding(check, Level.OK, "the topic fills the queue")
    return Finding(check, Level.FAILED, f"it is {'not confirmed' if ours else 'gone'}", DEPLOY)


def _read_endpoints(
    kind: NotificationType, configured: Iterable[str], subscriptions: Iterable[Mapping[str, Any]]
) -> Iterator[Finding]:
    """Read which apps have confirmed: an app is sent nothing before it has."""
    check = f"endpoint of {kind.plural}"
    confirmed: dict[str, bool] = {}
    for one in subscriptions:
        if one["Protocol"] in {"http", "https"}:
            url = one["Endpoint"]
            confirmed[url] = confirmed.get(url, False) or _is_confirmed(one)
    for url in dict.fromkeys([*configured, *confirmed]):
        advice = _SUBSCRIBE_AGAIN if url in configured else _NOT_OURS
        match confirmed.get(url):
            case None:
                found = f"{url} is not subscribed: it did not confirm within two days, or was ended"
                yield Finding(check, Level.FAILED, found, advice)
            case False:
                found = f"{url} has not confirmed: it is told nothing, and SNS forgets it after two"
                yield Finding(check, Level.WARNING, f"{found} days", advice)
            case True:
                yield Finding(check, Level.OK, f"{url} has confirmed")


def _is_confirmed(subscription: Mapping[str, Any]) -> bool:
    return bool(subscription["SubscriptionArn"].startswith("arn:"))


def check_queues(environment: Environment) -> Iterator[Finding]:
    """Look at the age of what waits."""
    for kind in environment.stack.topics:
        check, waiting = f"queue of {kind.plural}", _count(environment, kind)
        name = _name(environment.stack.channel(ChannelOutput.QUEUE_URL, kind))
        metric = "ApproximateAgeOfOldestMessage"
        oldest = _read_metric(environment, "AWS/SQS", metric, max, QueueName=name)
        if waiting and oldest > _OLD_SECONDS:
            found = f"{waiting:,} messages, the oldest {oldest / 60:,.0f} minutes old"
            advice = "look at the function: its log, its throttles"
            yield Finding(check, Level.FAILED, found, advice)
        else:
            yield Finding(check, Level.OK, f"{waiting:,} messages")


def check_dead_letters(environment: Environment) -> Iterator[Finding]:
    """Count what could not be used, and what could not be delivered."""
    for kind in environment.stack.topics:
        check = f"dead letters of {kind.plural}"
        dead = _count(environment, kind, ChannelOutput.DEAD_LETTER_QUEUE_URL)
        lost = _count(environment, kind, ChannelOutput.UNDELIVERED_QUEUE_URL)
        if dead or lost:
            found = f"{dead:,} that nobody could use, {lost:,} that SNS could not deliver"
            yield Finding(check, Level.FAILED, found, "dead-letters show")
        else:
            yield Finding(check, Level.OK, "none")


def check_given_back(environment: Environment) -> Iterator[Finding]:
    """Count what functions could not write: it is in flight, and too young for `check_queues`."""
    dimensions = {Dimension.ENVIRONMENT.value: environment.name}
    number = _read_metric(environment, METRIC_NAMESPACE, Metric.GIVEN_BACK, sum, **dimensions)
    waiting = sum(_count(environment, kind) for kind in environment.stack.topics)
    check, found = "given back", f"{number:,.0f} in the last hour, {waiting:,} wait"
    if not number:
        yield Finding(check, Level.OK, "no message in the last hour")
    elif waiting:
        advice = "the table does not take what comes: read the log of the functions"
        yield Finding(check, Level.FAILED, found, advice)
    else:
        yield Finding(check, Level.WARNING, found, "it has passed: the logs say what it was")


def check_functions(environment: Environment) -> Iterator[Finding]:
    """Look whether each queue calls its function, and how that went in the last hour."""
    for kind in environment.stack.topics:
        arn = _read_queue(environment, kind, ChannelOutput.QUEUE_URL, "QueueArn")["QueueArn"]
        answer = environment.client("lambda").list_event_source_mappings(EventSourceArn=arn)
        yield _read_function(
            environment, f"function of {kind.plural}", answer["EventSourceMappings"]
        )


def _read_function(
    environment: Environment, check: str, mappings: list[Mapping[str, Any]]
) -> Finding:
    if not any(mapping["State"] in {"Enabled", "Creating", "Enabling"} for mapping in mappings):
        return Finding(check, Level.FAILED, "its queue does not call it", DEPLOY)
    name = mappings[0]["FunctionArn"].rpartition(":")[2]
    if errors := _read_metric(environment, "AWS/Lambda", "Errors", sum, FunctionName=name):
        found = f"{errors:,.0f} errors in the last hour"
        return Finding(check, Level.FAILED, found, f"read the log of {name}")
    if throttles := _read_metric(environment, "AWS/Lambda", "Throttles", sum, FunctionName=name):
        found = f"{throttles:,.0f} throttles in the last hour"
        return Finding(check, Level.WARNING, found, "raise the account's concurrency")
    return Finding(check, Level.OK, "its queue calls it; no errors in the last hour")


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _count(
    environment: Environment, kind: NotificationType, queue: ChannelOutput = ChannelOutput.QUEUE_URL
) -> int:
    """Count the messages on a queue: those that can be received, and those in flight."""
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    return sum(map(int, _read_queue(environment, kind, queue, *names).values()))


def _read_queue(
    environment: Environment, kind: NotificationType, queue: ChannelOutput, *names: str
) -> Mapping[str, str]:
    answer: Mapping[str, Mapping[str, str]] = environment.client("sqs").get_queue_attributes(
        QueueUrl=environment.stack.channel(queue, kind), AttributeNames=names
    )
    return {name: answer["Attributes"][name] for name in names}


def _read_metric(
    environment: Environment,
    namespace: str,
    name: str,
    of: Callable[[Iterable[float]], float],
    /,
    **dimensions: str,
) -> float:
    """Return the sum or the maximum of a metric in the last hour; 0 without data."""
    statistic = "Sum" if of is sum else "Maximum"
    answer = environment.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=environment.now - timedelta(hours=1),
        EndTime=environment.now,
        Period=3600,
        Statistics=[statistic],
    )
    return of([0.0, *(float(point[statistic]) for point in answer.get("Datapoints", []))])


def check_key(environment: Environment) -> Iterator[Finding]:
    """Look whether the key's policy admits the services that use it."""
    answer = environment.client("kms").get_key_policy(
        KeyId=environment.stack.output(StackOutput.KEY_ARN), PolicyName="default"
    )
    statements = json.loads(answer["Policy"])["Statement"]
    missing = [name for service, name in _KEY_USERS.items() if not _admits(statements, service)]
    if missing:
        found = f"its policy does not admit {', '.join(missing)}"
        advice = f"{DEPLOY}; of a key of your own, see docs/deployment.md"
        yield Finding("key", Level.FAILED, found, advice)
    else:
        yield Finding("key", Level.OK, "SES, SNS, alarms and EventBridge may use it")


_KEY_USERS = {
    "ses.amazonaws.com": "SES, which publishes",
    "sns.amazonaws.com": "SNS, which fills the queues",
    "cloudwatch.amazonaws.com": "the alarms",
    "events.amazonaws.com": "EventBridge, which tells of an account that may send no more",
}


def _admits(statements: list[dict[str, Any]], service: str) -> bool:
    patterns = [
        pattern
        for statement in statements
        if statement["Effect"] == "Allow"
        and isinstance(statement.get("Principal"), dict)
        and service in _as_list(statement["Principal"].get("Service", []))
        for pattern in _as_list(statement.get("Action", []))
    ]
    needed = ("kms:Decrypt", "kms:GenerateDataKey")
    return all(any(fnmatchcase(action, pattern) for pattern in patterns) for action in needed)


def _as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def round_trip(sender: str) -> Callable[[Environment], Iterator[Finding]]:
    """Return the check that mails SES's simulator from an address and waits for the bounce."""

    def check_round_trip(environment: Environment) -> Iterator[Finding]:
        ses = environment.client("ses")
        took = run_canary(ses, environment.store, sender, _ROUND_TRIP_SECONDS)
        if took is not None:
            found = f"a bounce was in the table after {took:.1f} s"
            yield Finding("round trip", Level.OK, found)
        else:
            found = f"a bounce was not in the table after {_ROUND_TRIP_SECONDS} s"
            advice = "the checks above, then the log of the function of bounces"
            yield Finding("round trip", Level.FAILED, found, advice)

    return check_round_trip
