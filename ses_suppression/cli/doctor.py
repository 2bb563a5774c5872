"""Is the path from SES to the table alive? What is looked at, what was found, what to do."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError

from ses_suppression.cli.account import account, addresses_apart, regions, verification
from ses_suppression.cli.finding import Finding, State
from ses_suppression.cli.session import Session
from ses_suppression.core.address import SIMULATOR_DOMAIN
from ses_suppression.deployment import METRIC_NAMESPACE, Metric, StackOutput
from ses_suppression.errors import SESSuppressionError
from ses_suppression.ses_account.canary import Canary
from ses_suppression.ses_account.identity_feedback import Destination, IdentityNotifications
from ses_suppression.ses_account.identity_feedback import Kind as NotificationKind
from ses_suppression.store.protocol import chunks

SICK = 1
# CloudFormation looks at what has changed in the template, not at what is there, unless it is told.
_DEPLOY = "cdk deploy --revert-drift"
_KEY_POLICY = f"{_DEPLOY}; of a key of your own, see docs/deployment.md"
_SUBSCRIBE_AGAIN = (
    "see that the app is up; read its queue of what it did not take, which may go with the next "
    "step; take it out of `endpoints`, deploy, put it in again, deploy"
)
_OF_SOMEBODY_ELSE = "it is not of this stack: ask who has subscribed it to confirm it"
_WAIT_SECONDS = 60
_OLD_SECONDS = 15 * 60
_IDENTITIES_A_REQUEST = 100
_NOTIFICATIONS: dict[str, NotificationKind] = {
    "Bounces": "Bounce",
    "Complaints": "Complaint",
    "Deliveries": "Delivery",
}
EVENTS: dict[str, tuple[str, ...]] = {
    "Bounces": ("Bounce",),
    "Complaints": ("Complaint", "Subscription"),
    "Deliveries": ("Delivery",),
}
"""The events of the configuration set that each topic is to get."""


def doctor(
    context: typer.Context,
    send: Annotated[
        str | None,
        typer.Option(
            metavar="SENDER",
            help="Mail SES's mailbox simulator from this address, and wait for the verdict.",
        ),
    ] = None,
    mend: Annotated[
        bool,
        typer.Option(
            "--mend", help="First set again what SES or somebody else changed of the identities."
        ),
    ] = False,
) -> None:
    """Is the path from SES to the table alive? The exit status is 1 when something is not.

    Example: `ses-suppression --env prod doctor --send shop@example.com`
    """
    session: Session = context.obj
    if mend:
        _mend(session)
    checks: list[tuple[str, Callable[[Session], Iterator[Finding]]]] = [
        ("account", account),
        ("table", _table),
        ("publishing", _publishing),
        ("identities", _identities_of_ses),
        ("regions", regions),
        ("subscriptions", _subscriptions),
        ("queues", _queues),
        ("given back", _given_back),
        ("functions", _functions),
        ("key", _key),
    ]
    if send:
        checks.append(("round trip", lambda session: _round_trip(session, send)))
    findings: list[Finding] = []
    _ = session.stack.kinds  # where there is no stack, that is the answer
    for name, check in checks:
        for finding in _looked(session, name, check):
            findings.append(finding)
            if session.out.as_json:
                session.out.emit(
                    {
                        "check": finding.check,
                        "state": finding.state,
                        "found": finding.found,
                        "advice": finding.advice or None,
                    }
                )
    if not session.out.as_json:
        session.out.table(
            ["", "check", "found", "what to do"],
            [(_MARKS[one.state], one.check, one.found, one.advice) for one in findings],
        )
    if any(finding.state is State.FAILED for finding in findings):
        raise typer.Exit(SICK)


_MARKS = {State.OK: "✓", State.WARNING: "!", State.FAILED: "✗"}


def _looked(
    session: Session, name: str, check: Callable[[Session], Iterator[Finding]]
) -> Iterator[Finding]:
    """Do a check; one that AWS refuses is told, and the others go on."""
    try:
        yield from check(session)
    except (ClientError, BotoCoreError, SESSuppressionError) as error:
        yield Finding(
            name, State.FAILED, str(error), "this could not be looked at: check the caller's policy"
        )


def _table(session: Session) -> Iterator[Finding]:
    session.suppressions.check(f"doctor@{SIMULATOR_DOMAIN}")
    yield Finding("table", State.OK, f"{session.table_name} answers")
    if session.describe_time_to_live() in {"ENABLED", "ENABLING"}:
        yield Finding("time to live", State.OK, "on")
    else:
        yield Finding(
            "time to live",
            State.WARNING,
            "off: what has served its purpose is never deleted",
            "turn it on, by expires_at",
        )


def _mend(session: Session) -> None:
    """Set the feedback of the configured identities as the stack has set it."""
    topics: dict[NotificationKind, str] = {
        _NOTIFICATIONS[kind]: session.stack.output(f"{kind}TopicArn")
        for kind in session.stack.kinds
    }
    wanted = (
        Destination(configuration_set=session.stack.output(StackOutput.CONFIGURATION_SET_NAME))
        if _has_configuration_set_feed(session)
        else Destination(topics=topics)
    )
    notifications = IdentityNotifications(session.client("ses"), session.client("sesv2"))
    for identity in _configured_identities(session):
        notifications.put(identity, wanted)


def _has_configuration_set_feed(session: Session) -> bool:
    return session.stack.outputs.get(StackOutput.FEED) == "configuration-set"


def _configured_identities(session: Session) -> list[str]:
    return [
        name for name in session.stack.outputs.get(StackOutput.IDENTITIES, "").split(",") if name
    ]


def _publishing(session: Session) -> Iterator[Finding]:
    if _has_configuration_set_feed(session):
        yield from _configuration_set(
            session, session.stack.output(StackOutput.CONFIGURATION_SET_NAME)
        )
    else:
        yield from _identities(session)


def _identities_of_ses(session: Session) -> Iterator[Finding]:
    """Name what SES does not send for, and addresses that report by settings of their own."""
    configured = _configured_identities(session)
    yield from verification(session, configured)
    topics = {session.stack.output(f"{kind}TopicArn") for kind in session.stack.kinds}
    apart = addresses_apart(configured, _identity_names(session))
    elsewhere = [name for name in apart if not _reports_here(session, name, topics)]
    if elsewhere:
        yield Finding(
            "addresses with settings of their own",
            State.WARNING,
            _shown(elsewhere),
            "SES asks their settings, not their domain's: name them in cdk.json, or delete them",
        )


def _reports_here(session: Session, identity: str, topics: set[str]) -> bool:
    if _has_configuration_set_feed(session):
        found = session.client("sesv2").get_email_identity(EmailIdentity=identity)
        ours: str = session.stack.output(StackOutput.CONFIGURATION_SET_NAME)
        return bool(found.get("ConfigurationSetName") == ours)
    answer = session.client("ses").get_identity_notification_attributes(Identities=[identity])
    found = answer["NotificationAttributes"].get(identity, {})
    return topics <= {found.get(f"{kind}Topic") for kind in _NOTIFICATIONS.values()}


def _configuration_set(session: Session, name: str) -> Iterator[Finding]:
    check, sesv2 = "configuration set", session.client("sesv2")
    try:
        destinations = sesv2.get_configuration_set_event_destinations(ConfigurationSetName=name)
    except sesv2.exceptions.NotFoundException:
        yield Finding(check, State.FAILED, f"{name} is gone", _DEPLOY)
        return
    published = {
        (kind, destination.get("SnsDestination", {}).get("TopicArn"))
        for destination in destinations["EventDestinations"]
        if destination["Enabled"]
        for kind in destination["MatchingEventTypes"]
    }
    missing = [
        event
        for kind in session.stack.kinds
        for event in EVENTS[kind]
        if (event.upper(), session.stack.output(f"{kind}TopicArn")) not in published
    ]
    if missing:
        yield Finding(
            check,
            State.FAILED,
            f"{', '.join(missing)} events of {name} do not come here",
            _DEPLOY,
        )
    else:
        yield Finding(check, State.OK, f"{name} publishes to all topics")
    yield from _defaults(session, name)


def _defaults(session: Session, configuration_set: str) -> Iterator[Finding]:
    """Tell whether the mail of the configured identities is sent with the set by default."""
    for identity in _configured_identities(session):
        found = session.client("sesv2").get_email_identity(EmailIdentity=identity)
        default = found.get("ConfigurationSetName")
        if default != configuration_set:
            yield Finding(
                f"identity {identity}",
                State.FAILED,
                f"its mail is sent with {default or 'no configuration set'} by default",
                "doctor --mend",
            )
        elif found.get("FeedbackForwardingStatus"):
            yield Finding(
                f"identity {identity}",
                State.WARNING,
                "SES forwards feedback by e-mail too",
                "doctor --mend",
            )
        else:
            yield Finding(
                f"identity {identity}",
                State.OK,
                "its mail is sent with the set by default, forwarding is off",
            )


def _identities(session: Session) -> Iterator[Finding]:
    ours = {
        _NOTIFICATIONS[kind]: session.stack.output(f"{kind}TopicArn")
        for kind in session.stack.kinds
    }
    attributes = _notification_attributes(session)
    without: list[str] = []
    connected = 0
    for identity, found in attributes.items():
        topics = {kind: found.get(f"{kind}Topic") for kind in ours}
        if not any(found.get(f"{kind}Topic") for kind in ("Bounce", "Complaint")):
            without.append(identity)
            continue
        if not set(topics.values()) & set(ours.values()):
            continue  # somebody else's
        connected += 1
        missing = [kind for kind, arn in ours.items() if topics[kind] != arn]
        if missing:
            yield Finding(
                f"identity {identity}",
                State.FAILED,
                f"{', '.join(missing)} notifications do not come here",
                "doctor --mend: SES drops a topic that it could not publish to",
            )
        elif found.get("ForwardingEnabled"):
            yield Finding(
                f"identity {identity}",
                State.WARNING,
                "SES forwards feedback by e-mail too: it turned that on after a failed publish",
                "doctor --mend",
            )
        else:
            yield Finding(f"identity {identity}", State.OK, "all topics are set, forwarding is off")
    if not connected:
        yield Finding(
            "identities",
            State.FAILED,
            "no identity of this account publishes to the stack's topics",
            "name one in cdk.json and deploy",
        )
    if without:
        yield Finding(
            "identities without topics",
            State.WARNING,
            _shown(without),
            "mail from them reports nothing here: name them in cdk.json, or send from others",
        )


_SHOWN = 5


def _shown(names: list[str]) -> str:
    return ", ".join(sorted(names)[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")


def _identity_names(session: Session) -> list[str]:
    pages = session.client("ses").get_paginator("list_identities").paginate()
    return [identity for page in pages for identity in page["Identities"]]


def _notification_attributes(session: Session) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for some in chunks(_identity_names(session), _IDENTITIES_A_REQUEST):
        answer = session.client("ses").get_identity_notification_attributes(Identities=some)
        attributes.update(answer["NotificationAttributes"])
    return attributes


def _subscriptions(session: Session) -> Iterator[Finding]:
    sns = session.client("sns")
    for kind in session.stack.kinds:
        subscriptions = [
            subscription
            for page in sns.get_paginator("list_subscriptions_by_topic").paginate(
                TopicArn=session.stack.output(f"{kind}TopicArn")
            )
            for subscription in page["Subscriptions"]
        ]
        name = session.stack.output(f"{kind}QueueUrl").rpartition("/")[2]
        found = [one for one in subscriptions if one["Endpoint"].endswith(f":{name}")]
        check = f"subscription of {kind.lower()}"
        if any(map(_is_confirmed, found)):
            yield Finding(check, State.OK, "the topic fills the queue")
        else:
            state = "not confirmed" if found else "gone"
            yield Finding(check, State.FAILED, f"it is {state}", _DEPLOY)
        apps = {
            one["Endpoint"]: one
            for one in sorted(subscriptions, key=_is_confirmed)  # of several that one counts
            if one["Protocol"] in {"http", "https"}
        }
        configured = session.stack.outputs.get(f"{kind}Endpoints", "").split()
        for url in dict.fromkeys([*configured, *apps]):
            advice = _SUBSCRIBE_AGAIN if url in configured else _OF_SOMEBODY_ELSE
            yield _endpoint(kind, url, apps.get(url), advice)


def _is_confirmed(subscription: Mapping[str, Any]) -> bool:
    return bool(subscription["SubscriptionArn"].startswith("arn:"))


def _endpoint(kind: str, url: str, subscription: Mapping[str, Any] | None, advice: str) -> Finding:
    """An app that wants to hear of it hears nothing before it has confirmed."""
    check = f"endpoint of {kind.lower()}"
    if subscription is None:
        found = f"{url} is not subscribed: it did not confirm within two days, or somebody ended it"
        return Finding(check, State.FAILED, found, advice)
    if not _is_confirmed(subscription):
        found = f"{url} has not confirmed: it is told nothing, and SNS forgets it after two days"
        return Finding(check, State.WARNING, found, advice)
    return Finding(check, State.OK, f"{url} has confirmed")


def _queues(session: Session) -> Iterator[Finding]:
    for kind in session.stack.kinds:
        waiting = _messages(session, f"{kind}QueueUrl")
        oldest = _metric(
            session,
            "AWS/SQS",
            "ApproximateAgeOfOldestMessage",
            "Maximum",
            QueueName=session.stack.output(f"{kind}QueueUrl").rpartition("/")[2],
        )
        check = f"queue of {kind.lower()}"
        if waiting and oldest > _OLD_SECONDS:
            yield Finding(
                check,
                State.FAILED,
                f"{waiting:,} messages, the oldest {oldest / 60:,.0f} minutes old",
                "look at the function: its log, its throttles",
            )
        else:
            yield Finding(check, State.OK, f"{waiting:,} messages")
        dead = _messages(session, f"{kind}DeadLetterQueueUrl")
        lost = _messages(session, f"{kind}UndeliveredQueueUrl")
        if dead or lost:
            yield Finding(
                f"dead letters of {kind.lower()}",
                State.FAILED,
                f"{dead:,} that nobody could use, {lost:,} that SNS could not deliver",
                "dead-letters show",
            )
        else:
            yield Finding(f"dead letters of {kind.lower()}", State.OK, "none")


def _given_back(session: Session) -> Iterator[Finding]:
    """What a function could not write is in flight, and too young for the age of the oldest."""
    number = _metric(
        session, METRIC_NAMESPACE, Metric.GIVEN_BACK, "Sum", environment=session.environment or ""
    )
    waiting = sum(_messages(session, f"{kind}QueueUrl") for kind in session.stack.kinds)
    found = f"{number:,.0f} in the last hour, {waiting:,} wait"
    if not number:
        yield Finding("given back", State.OK, "no message in the last hour")
    elif waiting:
        yield Finding(
            "given back",
            State.FAILED,
            found,
            "the table does not take what comes: read the log of the functions",
        )
    else:
        yield Finding("given back", State.WARNING, found, "it has passed: the logs say what it was")


def _messages(session: Session, output: str) -> int:
    """Count what is on a queue: what can be taken, and what has been taken and is in flight."""
    names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    answer = session.client("sqs").get_queue_attributes(
        QueueUrl=session.stack.output(output), AttributeNames=names
    )
    return sum(int(answer["Attributes"][name]) for name in names)


def _functions(session: Session) -> Iterator[Finding]:
    sqs, lambda_ = session.client("sqs"), session.client("lambda")
    for kind in session.stack.kinds:
        answer = sqs.get_queue_attributes(
            QueueUrl=session.stack.output(f"{kind}QueueUrl"), AttributeNames=["QueueArn"]
        )
        mappings = lambda_.list_event_source_mappings(
            EventSourceArn=answer["Attributes"]["QueueArn"]
        )["EventSourceMappings"]
        check = f"function of {kind.lower()}"
        if not any(mapping["State"] in {"Enabled", "Creating", "Enabling"} for mapping in mappings):
            yield Finding(check, State.FAILED, "its queue does not call it", _DEPLOY)
            continue
        name = mappings[0]["FunctionArn"].rpartition(":")[2]
        errors = _metric(session, "AWS/Lambda", "Errors", "Sum", FunctionName=name)
        throttles = _metric(session, "AWS/Lambda", "Throttles", "Sum", FunctionName=name)
        if errors:
            yield Finding(
                check,
                State.FAILED,
                f"{errors:,.0f} errors in the last hour",
                f"read the log of {name}",
            )
        elif throttles:
            yield Finding(
                check,
                State.WARNING,
                f"{throttles:,.0f} throttles in the last hour",
                "raise the account's concurrency",
            )
        else:
            yield Finding(check, State.OK, "its queue calls it; no errors in the last hour")


def _metric(
    session: Session, namespace: str, name: str, statistic: str, **dimensions: str
) -> float:
    """Give the greatest value, or the sum, of a metric in the last hour; 0 without data."""
    answer = session.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=session.now - timedelta(hours=1),
        EndTime=session.now,
        Period=3600,
        Statistics=[statistic],
    )
    values = [float(point[statistic]) for point in answer.get("Datapoints", [])]
    return sum(values) if statistic == "Sum" else max(values, default=0.0)


def _key(session: Session) -> Iterator[Finding]:
    answer = session.client("kms").get_key_policy(
        KeyId=session.stack.output(StackOutput.KEY_ARN), PolicyName="default"
    )
    statements = json.loads(answer["Policy"])["Statement"]
    missing = [name for service, name in _KEY_USERS.items() if not _admits(statements, service)]
    if missing:
        yield Finding(
            "key", State.FAILED, f"its policy does not admit {', '.join(missing)}", _KEY_POLICY
        )
    else:
        yield Finding("key", State.OK, "SES, SNS, alarms and EventBridge may use it")


_KEY_USERS = {
    "ses.amazonaws.com": "SES, which publishes",
    "sns.amazonaws.com": "SNS, which fills the queues",
    "cloudwatch.amazonaws.com": "the alarms",
    "events.amazonaws.com": "EventBridge, which tells of an account that may send no more",
}


def _admits(statements: list[dict[str, Any]], service: str) -> bool:
    actions = {
        action
        for statement in statements
        if service in _listed(statement.get("Principal", {}), "Service")
        and statement["Effect"] == "Allow"
        for action in _listed(statement, "Action")
    }
    needed = {"kms:Decrypt", "kms:GenerateDataKey"}
    return all(any(_covers(action, one) for action in actions) for one in needed)


def _listed(holder: Any, name: str) -> list[str]:  # noqa: ANN401  # a part of a policy document
    value = holder.get(name, []) if isinstance(holder, dict) else []
    return [value] if isinstance(value, str) else list(value)


def _covers(pattern: str, action: str) -> bool:
    return pattern == action or (pattern.endswith("*") and action.startswith(pattern[:-1]))


def _round_trip(session: Session, sender: str) -> Iterator[Finding]:
    took = Canary(session.client("ses"), session.store, sender).fly(_WAIT_SECONDS)
    if took is not None:
        yield Finding("round trip", State.OK, f"a bounce was in the table after {took:.1f} s")
        return
    yield Finding(
        "round trip",
        State.FAILED,
        f"a bounce was not in the table after {_WAIT_SECONDS} s",
        "the checks above, then the log of the function of bounces",
    )
