"""The run: deploy, prove, and remove everything again, whatever happens."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from rich.console import Console

from local.cdk import CDK
from local.deployment import EMULATOR_OPTIONS
from local.emulator import LocalError
from local.waiting import wait_for
from stacks.config import Config
from stacks.config_values import Feed
from tests.acceptance import claims
from tests.acceptance.account import Account, Identity, refuse_unless_ready
from tests.acceptance.live import Live
from tests.acceptance.remains import DAYS, everything, remove_table
from tests.acceptance.report import Report
from tests.acceptance.throw_away import NAME, STACK, THEIRS, values
from tests.e2e.project import project_with

DEPLOYS = "The first deploy succeeds"
ROUND_TRIP = "Bounces and complaints of the mailbox simulator suppress the address"
AUTOMATIC_REPLY = "An automatic reply suppresses no address"
CANARY = "The canary completes its round trip"
DOCTOR = "doctor reports no failure"
ALARMS = "An alarm treats a queue without data as healthy"
DENIALS = "Each role is denied what its task does not need"
LEFT_ALONE = "Without take_over, another default configuration set is not replaced"
TAKEN_OVER = "The feed changes, and take_over replaces the configuration set"
GIVEN_BACK = "Removal restores the configuration set that was replaced"
NOTHING_LEFT = "Removal leaves only the key, scheduled for deletion"

ON_THE_EMULATOR = (
    DEPLOYS, ROUND_TRIP, CANARY, DOCTOR, DENIALS, LEFT_ALONE, TAKEN_OVER, GIVEN_BACK, NOTHING_LEFT,
)  # fmt: skip
ONLY_AWS = {
    AUTOMATIC_REPLY: "the emulator sends no automatic reply",
    ALARMS: "the emulator has no metric math",
    "Lambda accepts the zip file, the runtime and arm64": "the emulator runs the files",
    "SES, SNS, SQS, CloudWatch and Logs may use the key": "the emulator encrypts nothing",
}


class Run:
    """One run on one account.

    Args:
        account: where.
        config: the environment that was named.
        folder: for its files.
        console: where it tells what it does.
    """

    def __init__(self, account: Account, config: Config, folder: Path, console: Console) -> None:
        self._account = account
        self._config = config
        self._name = config.identities[0].name
        self._folder = folder
        self._console = console
        self._report = Report(console)
        self._cdk = CDK(
            folder=folder, project=folder, options=() if account.is_aws else EMULATOR_OPTIONS
        )
        self._live: Live | None = None
        self._resources: Mapping[str, tuple[str, str]] = {}
        self._kept: Mapping[str, str] = {}

    def go(self) -> bool:
        """Run all of it, and print the table.

        Returns:
            Whether every claim was proven that can be proven here.

        Raises:
            LocalError: it was not started, for a reason that the message tells.
        """
        self._configure(Feed.IDENTITY)
        self._remove_what_was_left()
        refuse_unless_ready(self._account, self._config)
        before = self._account.identity(self._name)
        try:
            self._prove()
        finally:
            self._report.prove(GIVEN_BACK, self._give_back)
            self._report.prove(NOTHING_LEFT, lambda: self._remove(before))
            self._console.print(self._report.table())
        return self._report.holds

    def _prove(self) -> None:
        if not self._report.prove(DEPLOYS, self._first_deploy):
            for claim in (ROUND_TRIP, CANARY, DOCTOR, DENIALS, LEFT_ALONE, TAKEN_OVER):
                self._report.not_reached(claim)
            return
        live = self._deployed()
        self._report.prove(ROUND_TRIP, lambda: claims.round_trip(live))
        self._report.prove(CANARY, lambda: claims.canary(live))
        self._report.prove(DOCTOR, lambda: claims.doctor(live))
        self._report.prove(DENIALS, lambda: claims.denials(live))
        if self._account.is_aws:
            self._report.prove(AUTOMATIC_REPLY, lambda: claims.automatic_reply(live))
            self._report.prove(ALARMS, lambda: claims.alarms(live))
        else:
            for claim, why in ONLY_AWS.items():
                self._report.not_here(claim, why)
        self._report.prove(LEFT_ALONE, self._change_feed_without_leave)
        self._report.prove(TAKEN_OVER, self._change_feed)

    def _first_deploy(self) -> str:
        sesv2 = self._account.client("sesv2")
        sesv2.create_configuration_set(ConfigurationSetName=THEIRS)
        sesv2.put_email_identity_configuration_set_attributes(
            EmailIdentity=self._name, ConfigurationSetName=THEIRS
        )
        self._deploy(Feed.IDENTITY)
        return f"{STACK} with {len(self._deployed().resources())} resources"

    def _change_feed_without_leave(self) -> str:
        try:
            self._deploy(Feed.CONFIGURATION_SET)
        except LocalError as error:
            if f"publishes already: default configuration set -> {THEIRS}" not in str(error):
                raise
            return claims.left_alone(self._deployed(), self._account.identity(self._name))
        raise LocalError("the deploy was not refused")

    def _change_feed(self) -> str:
        self._deploy(Feed.CONFIGURATION_SET, take_over=True)
        return claims.taken_over(self._deployed(), self._account.identity(self._name))

    def _configure(self, feed: Feed, *, take_over: bool = False) -> None:
        project_with(self._folder, **{NAME: values(self._config, feed, take_over=take_over)})

    def _deploy(self, feed: Feed, *, take_over: bool = False) -> None:
        self._configure(feed, take_over=take_over)
        deployment = self._cdk.deploy(NAME)
        self._live = Live(self._account, deployment, self._name)

    def _deployed(self) -> Live:
        if self._live is None:
            raise LocalError("nothing is deployed")
        return self._live

    def _remove_what_was_left(self) -> None:
        """Remove what an earlier run left that was killed; refuse what is somebody else's."""
        stack = self._stack()
        if stack and not self._has_made_theirs():
            raise LocalError(f"there is a stack {STACK} which no run has made: nothing was started")
        if stack:
            self._console.print(f"removing what an earlier run left: {STACK}")
            kept = _kept_by(stack)
            self._cdk.destroy(NAME)
            self._remove_kept(kept)
        self._let_go()

    def _give_back(self) -> str:
        if stack := self._stack():
            self._kept = _kept_by(stack)
            self._resources = self._deployed().resources() if self._live else {}
            self._console.print(f"removing {STACK}, and after it {', '.join(self._kept.values())}")
            self._cdk.destroy(NAME)
        identity = self._account.identity(self._name)
        if identity != Identity({}, THEIRS, forwarding=True):
            raise LocalError(f"the identity was left as {identity}")
        return f"{THEIRS} is the default again, and SES mails bounces again"

    def _remove(self, before: Identity) -> str:
        self._remove_kept(self._kept)
        self._let_go()
        self._account.client("sesv2").put_email_identity_feedback_attributes(
            EmailIdentity=self._name, EmailForwardingEnabled=before.forwarding
        )
        after = self._account.identity(self._name)
        if after != before:
            raise LocalError(f"the identity was {before}, and is {after}")
        gone = {physical_id for _, physical_id in self._resources.values()}
        if left := gone & set(everything(self._account)):
            raise LocalError(f"these are left: {', '.join(sorted(left))}")
        key = self._kept.get("SuppressionKeyArn", "none")
        return f"{len(gone)} resources are gone; the key goes in {DAYS} days: {key}"

    def _remove_kept(self, kept: Mapping[str, str]) -> None:
        if kept:
            remove_table(self._account, kept["SuppressionTableName"], kept["SuppressionKeyArn"])

    def _let_go(self) -> None:
        """Remove the configuration set that the run made."""
        sesv2 = self._account.client("sesv2")
        if self._account.identity(self._name).configuration_set == THEIRS:
            sesv2.put_email_identity_configuration_set_attributes(EmailIdentity=self._name)
        with suppress(sesv2.exceptions.NotFoundException):
            sesv2.delete_configuration_set(ConfigurationSetName=THEIRS)

    def _has_made_theirs(self) -> bool:
        """Say whether a run has begun and not ended: the set is made first and goes last."""
        sesv2 = self._account.client("sesv2")
        try:
            sesv2.get_configuration_set(ConfigurationSetName=THEIRS)
        except sesv2.exceptions.NotFoundException:
            return False
        return True

    def _stack(self) -> Any:
        """Return the stack when nothing happens to it any more; None: there is none."""

        def settled() -> list[Any] | None:
            stack = self._described()
            return None if stack and stack["StackStatus"].endswith("_IN_PROGRESS") else [stack]

        (stack,) = wait_for("an end of what happens to the stack", settled, seconds=1800, every=2)
        return stack

    def _described(self) -> Any:
        cloudformation = self._account.client("cloudformation")
        try:
            (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            return None
        return stack


def _kept_by(stack: Mapping[str, Any]) -> dict[str, str]:
    """Return what outlives a stack, by its outputs; empty where it was never made."""
    return {
        one["OutputKey"]: one["OutputValue"]
        for one in stack.get("Outputs", [])
        if one["OutputKey"] in {"SuppressionTableName", "SuppressionKeyArn"}
    }
