"""The run: deploy, prove each claim, and remove everything, whatever happens."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from rich.console import Console

from local.cdk import CDK
from local.deployment import EMULATOR_OPTIONS, make_asset_bucket
from local.emulator import LocalError
from local.waiting import wait_for
from stacks.config import Config
from stacks.config_values import Feed
from tests.acceptance import claims
from tests.acceptance.account import Account, FeedbackSettings, refuse_unless_ready
from tests.acceptance.live import Live
from tests.acceptance.remains import DAYS, everything, remove_roles, remove_table, tables
from tests.acceptance.report import Report
from tests.acceptance.throw_away import NAME, STACK, THEIRS, values
from tests.e2e.project import project_with

_SECONDS_FOR_THE_STACK = 1800
_SECONDS_UNTIL_GONE = 180
_SECONDS_UNTIL_KNOWN = 120
# A change set that was never executed: the stack stays so until it is deleted.
_UNTOUCHED = "REVIEW_IN_PROGRESS"


class Run:
    """One run on one account.

    Args:
        account: where.
        config: the environment that was named.
        folder: for its files.
        console: for its progress and its table.
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
        self._resources: set[str] = set()

    def go(self) -> bool:
        """Run all of it, and print the table.

        Returns:
            Whether every claim was proven that can be proven here.

        Raises:
            LocalError: the run did not start; the message has the reason.
        """
        self._configure(Feed.IDENTITY)
        self._remove_leftovers()
        refuse_unless_ready(self._account, self._config)
        if not self._account.is_aws:
            make_asset_bucket(self._account.client("s3"), self._account.region)
        before = self._settings()
        try:
            self._prove()
        finally:
            self._prove_removal(before)
            self._console.print(self._report.table())
        return self._report.holds

    def _prove(self) -> None:
        self._report.prove(DEPLOYS, self._first_deploy)
        for claim in CLAIMS:
            if not self._account.is_aws and claim.not_on_the_emulator:
                self._report.not_here(claim.text, claim.not_on_the_emulator)
            elif live := self._live:
                self._report.prove(claim.text, partial(claim.look, self, live))
            else:
                self._report.not_reached(claim.text)

    def _prove_removal(self, before: FeedbackSettings) -> None:
        if self._live:
            self._report.prove(GIVEN_BACK, partial(self._give_back, before))
        else:
            self._report.not_reached(GIVEN_BACK)
        self._report.prove(NOTHING_LEFT, lambda: self._remove(before))

    def _first_deploy(self) -> str:
        sesv2 = self._account.client("sesv2")
        sesv2.create_configuration_set(ConfigurationSetName=THEIRS)
        sesv2.put_email_identity_configuration_set_attributes(
            EmailIdentity=self._name, ConfigurationSetName=THEIRS
        )
        live = self._deploy(Feed.IDENTITY)
        resources = live.resources()
        self._resources = {physical_id for _, physical_id in resources.values()}
        return f"{STACK} with {len(resources)} resources"

    def change_feed_without_leave(self) -> str:
        """Change the feed without `take_over`: the deploy has to be refused."""
        try:
            self._deploy(Feed.CONFIGURATION_SET)
        except LocalError as error:
            if f"publishes already: default configuration set -> {THEIRS}" not in str(error):
                raise
        else:
            raise LocalError("the deploy was not refused")
        return claims.left_alone(self._deployed(), self._settings())

    def change_feed(self) -> str:
        """Change the feed with `take_over`."""
        live = self._deploy(Feed.CONFIGURATION_SET, take_over=True)
        name = live.outputs["ConfigurationSetName"]
        self._await_settings(FeedbackSettings({}, name, forwarding=False))
        live.bounce()
        return f"{name} is the default, and a bounce came back by it"

    def _configure(self, feed: Feed, *, take_over: bool = False) -> None:
        project_with(self._folder, **{NAME: values(self._config, feed, take_over=take_over)})

    def _deploy(self, feed: Feed, *, take_over: bool = False) -> Live:
        self._configure(feed, take_over=take_over)
        self._live = Live(self._account, self._cdk.deploy(NAME), self._name)
        return self._live

    def _deployed(self) -> Live:
        if self._live is None:
            raise LocalError("nothing is deployed")
        return self._live

    def _settings(self) -> FeedbackSettings:
        return self._account.identity(self._name)

    def _give_back(self, before: FeedbackSettings) -> str:
        self._destroy()
        self._await_settings(FeedbackSettings({}, THEIRS, before.forwarding))
        return f"{THEIRS} is the default again, and forwarding is as it was"

    def _await_settings(self, expected: FeedbackSettings) -> None:
        """Wait for settings of the identity: all parts of SES know a change only after a while."""
        try:
            wait_for(
                "the identity's settings",
                lambda: self._settings() == expected,
                seconds=_SECONDS_UNTIL_KNOWN if self._account.is_aws else 1,
                every=2,
            )
        except LocalError:
            raise LocalError(
                f"the identity is set as {self._settings()}, not as {expected}"
            ) from None

    def _remove(self, before: FeedbackSettings) -> str:
        self._clean()
        if self._settings().forwarding != before.forwarding:
            self._account.client("sesv2").put_email_identity_feedback_attributes(
                EmailIdentity=self._name, EmailForwardingEnabled=before.forwarding
            )
        self._await_settings(before)
        listed = self._await_nothing_left()
        return f"{listed} listed resources are gone; AWS deletes the key in {DAYS} days"

    def _await_nothing_left(self) -> int:
        """Wait until no resource of the stack is listed, and return how many were its own."""
        left: set[str] = set()

        def gone() -> bool:
            there = set(everything(self._account))
            left.clear()
            left.update(there & self._resources)
            return not left

        try:
            wait_for("the removal", gone, seconds=_SECONDS_UNTIL_GONE, every=2)
        except LocalError:
            raise LocalError(f"these are left: {', '.join(sorted(left))}") from None
        return len(self._resources)

    def _remove_leftovers(self) -> None:
        """Remove the leftovers of a run that was killed; refuse those of anybody else."""
        if self._has_made_theirs():
            self._console.print(f"removing the leftovers of an earlier run: {STACK}")
            self._clean()
        elif there := [*filter(None, [self._described() and STACK]), *tables(self._account)]:
            raise LocalError(
                f"these were not made by a run: {', '.join(there)}. Nothing was started, since a "
                f"run removes what has the name {STACK}"
            )

    def _clean(self) -> None:
        """Remove all that a run makes. The configuration set goes last: it marks a run."""
        remove_roles(self._account)  # first: an attached policy cannot be deleted
        self._destroy()
        for table in tables(self._account):
            remove_table(self._account, table)
        sesv2 = self._account.client("sesv2")
        if self._settings().configuration_set == THEIRS:
            sesv2.put_email_identity_configuration_set_attributes(EmailIdentity=self._name)
        with suppress(sesv2.exceptions.NotFoundException):
            sesv2.delete_configuration_set(ConfigurationSetName=THEIRS)

    def _has_made_theirs(self) -> bool:
        """Whether a run has begun and not ended."""
        sesv2 = self._account.client("sesv2")
        try:
            sesv2.get_configuration_set(ConfigurationSetName=THEIRS)
        except sesv2.exceptions.NotFoundException:
            return False
        return True

    def _destroy(self) -> None:
        """Remove the stack, if there is one.

        Raises:
            LocalError: it is still there; nothing that it needs was removed.
        """

        def settled() -> bool:
            status = (self._described() or {}).get("StackStatus", "")
            return not status.endswith("_IN_PROGRESS") or status == _UNTOUCHED

        wait_for(f"the stack {STACK}", settled, seconds=_SECONDS_FOR_THE_STACK, every=2)
        if not self._described():
            return
        self._cdk.destroy(NAME)
        if stack := self._described():
            raise LocalError(
                f"the stack {STACK} is still there ({stack['StackStatus']}): see its events in "
                "CloudFormation, remove the cause, and start another run, which removes the stack"
            )

    def _described(self) -> Any:
        """Return the stack as CloudFormation describes it; None: there is none."""
        cloudformation = self._account.client("cloudformation")
        try:
            (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            return None
        return stack


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim about the deployed stack.

    Attributes:
        text: the sentence.
        look: checks it, and returns what was seen.
        not_on_the_emulator: why only AWS can prove it.
    """

    text: str
    look: Callable[[Run, Live], str]
    not_on_the_emulator: str = ""


DEPLOYS = "The first deploy succeeds"
CLAIMS = (
    Claim(
        "Bounces and complaints of the mailbox simulator suppress the address",
        lambda _run, live: claims.round_trip(live),
    ),
    Claim(
        "An automatic reply suppresses no address",
        lambda _run, live: claims.automatic_reply(live),
        "the emulator sends no automatic reply",
    ),
    Claim(
        "Lambda accepts the zip file, the runtime and arm64",
        lambda _run, live: claims.runtime(live),
        "the emulator runs the files",
    ),
    Claim(
        "SES, SNS, SQS and the functions may use the key",
        lambda _run, live: claims.encryption(live),
        "the emulator encrypts nothing",
    ),
    Claim("The canary completes its round trip", lambda _run, live: claims.canary(live)),
    Claim("doctor reports no failure", lambda _run, live: claims.doctor(live)),
    Claim(
        "Each role is denied what its task does not need", lambda _run, live: claims.denials(live)
    ),
    Claim(
        "An alarm treats a queue without data as healthy",
        lambda _run, live: claims.alarms(live),
        "the emulator has no metric math",
    ),
    Claim(
        "Without take_over, another default configuration set is not replaced",
        lambda run, _live: run.change_feed_without_leave(),
    ),
    Claim(
        "The feed changes, and take_over replaces the configuration set",
        lambda run, _live: run.change_feed(),
    ),
)
"""What is checked between the first deploy and the removal, in this order."""

GIVEN_BACK = "Removal restores the configuration set that was replaced"
NOTHING_LEFT = "Removal leaves only the key, scheduled for deletion"
