"""Identities that the stack makes itself, with the DNS records that SES verifies them by."""

from collections import Counter
from collections.abc import Sequence

from aws_cdk import CfnOutput, Fn, RemovalPolicy, Stack
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_ses as ses
from constructs import Construct

from stacks.config_values import Identity

_TTL = "1800"


class EmailIdentities(Construct):
    """Identities of SES: domains with Easy DKIM, and addresses that get a mail to confirm.

    They and their records are kept when the stack goes: whoever mails from them goes on.

    Args:
        identities: what to make.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, identities: Sequence[Identity]
    ) -> None:
        super().__init__(scope, construct_id)
        self._readable: Counter[str] = Counter()
        for identity in identities:
            made = ses.EmailIdentity(
                self,
                identity.name,
                identity=ses.Identity.email(identity.name)
                if "@" in identity.name
                else ses.Identity.domain(identity.name),
            )
            made.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
            if "@" not in identity.name:
                self._tell_records(identity, made)

    def _tell_records(self, identity: Identity, made: ses.EmailIdentity) -> None:
        """Write the three DKIM records where a zone is named; tell them as outputs in any case."""
        # The name of an output is letters and digits only, so two domains may have the same.
        name = "".join(part.capitalize() for part in identity.name.replace("-", ".").split("."))
        self._readable[name] += 1
        readable = name if self._readable[name] == 1 else f"{name}{self._readable[name]}"
        for number, record in enumerate(made.dkim_records, start=1):
            CfnOutput(
                Stack.of(self),
                f"{readable}DkimRecord{number}",
                description=f"DNS: proves that {identity.name} is yours, and signs its mail",
                value=Fn.join(" CNAME ", [record.name, record.value]),
            )
            if identity.hosted_zone_id:
                written = route53.CfnRecordSet(
                    self,
                    f"{identity.name}Record{number}",
                    hosted_zone_id=identity.hosted_zone_id,
                    name=record.name,
                    type="CNAME",
                    ttl=_TTL,
                    resource_records=[record.value],
                )
                written.apply_removal_policy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
