"""The identities' notification settings: a custom resource each; CloudFormation has none."""

from collections.abc import Mapping, Sequence

from aws_cdk import Aws, CustomResource, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from constructs import Construct, IDependable

from stacks.checks import acknowledge
from stacks.config import Identity
from stacks.function import make_function


class IdentitySettings(Construct):
    """Sets each identity's topics, and turns e-mail forwarding off.

    Args:
        topics: by SES's kind: `Bounce`, `Complaint`, `Delivery`.
        after: what has to stand first: SES tries a topic when it is set.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        identities: Sequence[Identity],
        topics: Mapping[str, sns.ITopic],
        code: lambda_.Code,
        after: Sequence[IDependable],
    ) -> None:
        super().__init__(scope, construct_id)
        function = self._function(code)
        previous: Sequence[IDependable] = [function, *after]
        for identity in identities:
            resource = CustomResource(
                self,
                identity.name,
                service_token=function.function_arn,
                resource_type="Custom::SESIdentityNotifications",
                service_timeout=Duration.minutes(5),
                properties={
                    "Identity": identity.name,
                    "Topics": {kind: topic.topic_arn for kind, topic in topics.items()},
                    "TakeOver": str(identity.take_over).lower(),
                },
            )
            # One after the other: SES takes one such call a second.
            resource.node.add_dependency(*previous)
            previous = [resource]

    def _function(self, code: lambda_.Code) -> lambda_.Function:
        function = make_function(
            self,
            module="identity_notifications",
            description="sets the identities' notification topics",
            code=code,
            memory=256,
            timeout=Duration.minutes(2),
        )
        acknowledge(
            function.grant_principal,
            "IAM5[Resource::*]",
            reason="these actions of SES know no resources",
        )
        # These actions know no resources ("Actions, resources, and condition keys for Amazon SES").
        iam.Grant.add_to_principal(
            grantee=function,
            actions=[
                "ses:GetIdentityNotificationAttributes",
                "ses:SetIdentityNotificationTopic",
                "ses:SetIdentityFeedbackForwardingEnabled",
            ],
            resource_arns=["*"],
            conditions={"StringEquals": {"aws:RequestedRegion": Aws.REGION}},
        )
        return function
