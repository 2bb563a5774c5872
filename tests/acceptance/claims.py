"""What is proven about the deployed stack: each function looks, and returns what it saw."""

import subprocess
import sys
from typing import Any

from botocore.exceptions import ClientError

from local.emulator import LocalError
from ses_suppression.core.classification import rule_of
from ses_suppression.core.rules import Rule
from tests.acceptance.account import FeedbackSettings
from tests.acceptance.live import Live
from tests.acceptance.throw_away import NAME, STACK, THEIRS
from tests.denials import ALLOWED, REFUSALS, Caller, attempts_of, not_refused, role_with

_SECONDS_FOR_ALARMS = 30 * 60.0
_SECONDS_FOR_A_ROLE = 60.0
_VERDICTS = {"bounce": "BOUNCE", "complaint": "COMPLAINT", "suppressionlist": "BOUNCE"}


def round_trip(live: Live) -> str:
    """Mail the simulator; each kind of feedback has to become its verdict."""
    live.bounce()  # from now on SES knows the topics
    delivered = live.mail("success")  # alone: a mail that gets a complaint is delivered too
    live.wait_for("a delivery", lambda: any("Applied" in one for one in live.logged("Deliveries")))
    if live.suppressions.check(delivered):
        raise LocalError(f"{delivered} is suppressed, although SES delivered its mail")
    mailed = {live.mail(kind): verdict for kind, verdict in _VERDICTS.items()}
    for address, verdict in mailed.items():
        reason = live.await_suppression(address).reason
        if reason != verdict:
            raise LocalError(f"{address} is suppressed as {reason}, not as {verdict}")
    return "bounce, complaint and suppressionlist are suppressed, success is not"


def automatic_reply(live: Live) -> str:
    """Mail the simulator's `ooto`: it is recorded, and holds nothing back."""
    address = live.mail("ooto")
    record = live.wait_for(
        f"the record of {address}",
        lambda: record if (record := live.record(address)).evidence else None,
    )
    # SES delivers that mail too.
    rules = {rule_of(piece) for piece in record.evidence} - {Rule.DELIVERY}
    if rules != {Rule.AUTOMATIC_REPLY} or live.suppressions.check(address):
        raise LocalError(f"{address} was taken for {', '.join(rules)}")
    return "ooto is recorded and not suppressed"


def canary(live: Live) -> str:
    """Run the canary, and read its metrics."""

    def told() -> list[dict[str, Any]]:
        return [line for line in live.logged("Canary") if "CanaryFailed" in line]

    before = len(told())
    live.account.client("lambda").invoke(
        FunctionName=live.outputs["CanaryFunctionName"], InvocationType="Event", Payload=b"{}"
    )
    metrics = live.wait_for("the canary's metrics", lambda: told()[before:])[-1]
    if metrics["CanaryFailed"] != [0.0]:
        raise LocalError("the canary failed: see its log")
    return f"its bounce came back after {metrics['CanarySeconds'][0]:.1f} s"


def doctor(live: Live) -> str:
    """Ask the operator's command."""
    answer = subprocess.run(
        [
            *(sys.executable, "-m", "ses_suppression"),
            *("--env", NAME, "--region", live.account.region, "doctor"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise LocalError(f"doctor found something:\n{answer.stdout}{answer.stderr}")
    return f"{answer.stdout.count('✓')} checks passed"


def alarms(live: Live) -> str:
    """Wait until every alarm has a state of its own, and none is red but the canary's."""

    def states() -> dict[str, str]:
        cloudwatch = live.account.client("cloudwatch")
        pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=STACK)
        ours = {physical_id for _, physical_id in live.resources().values()}
        return {
            one["AlarmName"]: one["StateValue"]
            for page in pages
            for one in page["MetricAlarms"]
            if one["AlarmName"] in ours
        }

    def settled() -> dict[str, str] | None:
        found = states()
        return found if "INSUFFICIENT_DATA" not in found.values() else None

    found = live.wait_for("a state of every alarm", settled, seconds=_SECONDS_FOR_ALARMS)
    red = [name for name, state in found.items() if state == "ALARM" and "Canary" not in name]
    if red:
        raise LocalError(f"alarms are red: {', '.join(red)}")
    return f"{len(found)} alarms have a state, none but the canary's is red"


def runtime(live: Live) -> str:
    """Read what Lambda runs: the round trip went through it."""
    name = live.resource("BouncesFunction", "AWS::Lambda::Function")
    found = live.account.client("lambda").get_function_configuration(FunctionName=name)
    running = (found["State"], found["Runtime"], *found["Architectures"])
    if running != ("Active", "python3.14", "arm64"):
        raise LocalError(f"the function {name} is {', '.join(running)}")
    return "python3.14 on arm64; the round trip used it"


def encryption(live: Live) -> str:
    """Read under which key topic, queue, logs and table are: the round trip went through them."""
    key, client = live.outputs["SuppressionKeyArn"], live.account.client
    topic = client("sns").get_topic_attributes(TopicArn=live.outputs["BouncesTopicArn"])
    queue = client("sqs").get_queue_attributes(
        QueueUrl=live.outputs["BouncesQueueUrl"], AttributeNames=["KmsMasterKeyId"]
    )
    group = live.resource("BouncesLogs", "AWS::Logs::LogGroup")
    logs = client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    table = client("dynamodb").describe_table(TableName=live.deployment.table_name)["Table"]
    keys = {
        "topic": topic["Attributes"].get("KmsMasterKeyId"),
        "queue": queue.get("Attributes", {}).get("KmsMasterKeyId"),
        "logs": logs[0].get("kmsKeyId"),
        "table": table.get("SSEDescription", {}).get("KMSMasterKeyArn"),
    }
    wrong = [what for what, found in keys.items() if not found or found not in key]
    if wrong:
        raise LocalError(f"not encrypted with {key}: {', '.join(wrong)}")
    return "topic, queue, logs and table use the key; the round trip went through them"


def denials(live: Live) -> str:
    """Try as each role what it must not do."""
    tried, allowed = 0, []
    for name in ALLOWED:
        reader = [live.outputs["ReaderPolicyArn"]] if name == "Reader" else []
        documents = [] if reader else live.policies_of(name)
        with role_with(
            live.account.client,
            live.account.account_id,
            documents=documents,
            policies=reader,
            prefix=STACK,
            seconds=_SECONDS_FOR_A_ROLE,
        ) as credentials:
            caller = Caller(live.account.client, credentials, live.outputs, live.identity)
            _await_own_work(live, caller, name)
            tried += len(attempts_of(caller, name))
            allowed += [f"{name}: {what}" for what in not_refused(caller, name)]
    if allowed:
        raise LocalError(f"not refused: {', '.join(allowed)}")
    return f"{tried} attempts by {len(ALLOWED)} roles were denied; their own work was allowed"


def _await_own_work(live: Live, caller: Caller, name: str) -> None:
    """Wait until the role may do its own work: until then a refusal proves nothing."""

    def works() -> bool:
        try:
            ALLOWED[name](caller)
        except ClientError as error:
            if error.response["Error"]["Code"] not in REFUSALS:
                raise
            return False
        return True

    live.wait_for(f"what the role {name} may do", works, seconds=_SECONDS_FOR_A_ROLE)


def left_alone(live: Live, identity: FeedbackSettings) -> str:
    """See that the failed update changed nothing at the identity, and is rolled back."""

    def status() -> bool:
        cloudformation = live.account.client("cloudformation")
        (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        return bool(stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE")

    live.wait_for("the roll back", status)
    if identity.configuration_set != THEIRS or set(identity.topics.values()) != set(live.topics):
        raise LocalError(f"the identity was changed: {identity}")
    live.bounce()
    return f"the deploy was refused and rolled back; {THEIRS} is still the default"
