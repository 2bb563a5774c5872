"""Where the feedback about the identities' mail goes: a custom resource each.

CloudFormation has none for notification topics, and can set the default configuration set only of
an identity that it made itself.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import Aws, CustomResource, Duration
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from constructs import Construct, IDependable

from ses_suppression.deployment import NotificationType
from ses_suppression.ses_account.health import SENDING_ATTRIBUTE, SENDING_RESOURCE_TYPE
from stacks.checks import acknowledge
from stacks.config_values import Identity
from stacks.function import make_function


class IdentitySettings(Construct):
    """Sets each identity's topics or configuration set, and turns e-mail forwarding off.

    Args:
        topics: none in the configuration-set feed.
        configuration_set: the stack's own.
        is_default: whether it becomes the default of the identities.
        after: what has to stand first: SES tries a topic when it is set.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        identities: Sequence[Identity],
        topics: Mapping[NotificationType, sns.ITopic],
        configuration_set: ses.IConfigurationSet,
        is_default: bool,
        code: lambda_.Code,
        after: Sequence[IDependable],
    ) -> None:
        super().__init__(scope, construct_id)
        function = self._function(code)
        default_set = (
            {"ConfigurationSet": configuration_set.configuration_set_name} if is_default else {}
        )
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
                    "Topics": {name.value: topic.topic_arn for name, topic in topics.items()},
                    "TakeOver": str(identity.take_over).lower(),
                    **default_set,
                },
            )
            # One after the other: SES takes one such call a second.
            resource.node.add_dependency(*previous)
            previous = [resource]
        self.sending = self._sending(function, identities, previous)
        """What is in the way of SES's sending, when the identities were last changed."""

    def _sending(
        self,
        function: lambda_.Function,
        identities: Sequence[Identity],
        after: Sequence[IDependable],
    ) -> str:
        resource = CustomResource(
            self,
            "Sending",
            service_token=function.function_arn,
            resource_type=SENDING_RESOURCE_TYPE,
            service_timeout=Duration.minutes(5),
            properties={"Identities": [identity.name for identity in identities]},
        )
        resource.node.add_dependency(*after)
        return resource.get_att_string(SENDING_ATTRIBUTE)

    def _function(self, code: lambda_.Code) -> lambda_.Function:
        function = make_function(
            self,
            module="identity_notifications",
            description="sets where the feedback of the identities goes",
            code=code,
            memory=256,
            timeout=Duration.minutes(2),
        )
        acknowledge(
            function.grant_principal,
            "IAM5[Resource::*]",
            reason="these actions of SES know no resources",
        )
        iam.Grant.add_to_principal(
            grantee=function,
            actions=[
                "ses:GetAccount",
                "ses:GetIdentityNotificationAttributes",
                "ses:SetIdentityNotificationTopic",
            ],
            resource_arns=["*"],
            conditions={"StringEquals": {"aws:RequestedRegion": Aws.REGION}},
        )
        # Every identity: one that was taken out of the configuration is let go after this policy
        # has changed. Every set: one that was taken over is given back.
        identities, sets = (
            f"arn:{Aws.PARTITION}:ses:{Aws.REGION}:{Aws.ACCOUNT_ID}:{resource}/*"
            for resource in ("identity", "configuration-set")
        )
        for resource, reason in (
            ("identity", "an identity that was taken out of the configuration has to be let go"),
            ("configuration-set", "a default set that was taken over is given back"),
        ):
            acknowledge(
                function.grant_principal,
                "IAM5[Resource::arn:<AWS::Partition>:ses:<AWS::Region>:<AWS::AccountId>:"
                f"{resource}/*]",
                reason=reason,
            )
        iam.Grant.add_to_principal(
            grantee=function,
            actions=["ses:GetEmailIdentity", "ses:PutEmailIdentityFeedbackAttributes"],
            resource_arns=[identities],
        )
        iam.Grant.add_to_principal(
            grantee=function,
            actions=["ses:PutEmailIdentityConfigurationSetAttributes"],
            resource_arns=[identities, sets],
        )
        # Whether a request is part of a roll back, or deletes what goes on under another name, no
        # request says.
        iam.Grant.add_to_principal(
            grantee=function,
            actions=["cloudformation:DescribeStacks", "cloudformation:DescribeStackResource"],
            resource_arns=[Aws.STACK_ID],
        )
        return function
