"""The configuration set: SES publishes what becomes of mail that is sent with it.

Unlike identity notifications such events carry the mail's tags, so that streams can be told apart.
The set is there in the other feed too, and publishes nothing: SES refuses a mail that names a set
that is gone, so a change of the feed must not take it away.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_ses as ses
from aws_cdk import aws_sns as sns
from constructs import Construct, IDependable

from ses_suppression.deployment import NotificationType, configuration_set_name


class EventPublishing(Construct):
    """A configuration set, with a destination for each kind of event.

    Args:
        environment: the environment's name.
        topics: none in the other feed.
        after: what has to stand first: SES tries a topic when it becomes a destination.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        topics: Mapping[NotificationType, sns.ITopic],
        after: Sequence[IDependable],
    ) -> None:
        super().__init__(scope, construct_id)
        self.configuration_set = ses.ConfigurationSet(
            self, "ConfigurationSet", configuration_set_name=configuration_set_name(environment)
        )
        for notification_type, topic in topics.items():
            # Not CDK's own destination, which adds to the policies of topic and key what they say
            # already.
            destination = ses.CfnConfigurationSetEventDestination(
                self,
                f"{notification_type}Destination",
                configuration_set_name=self.configuration_set.configuration_set_name,
                event_destination=ses.CfnConfigurationSetEventDestination.EventDestinationProperty(
                    name=notification_type.lower(),
                    enabled=True,
                    matching_event_types=list(notification_type.event_types),
                    sns_destination=ses.CfnConfigurationSetEventDestination.SnsDestinationProperty(
                        topic_arn=topic.topic_arn
                    ),
                ),
            )
            destination.node.add_dependency(*after)
