"""The rules: what a piece of evidence can amount to.

Their names are stable: documentation, `explain`, metrics and the table share them.
"""

from collections.abc import Mapping
from enum import StrEnum


class Rule(StrEnum):
    """What a piece of evidence amounts to."""

    HARD_BOUNCE = "hard-bounce"
    BLOCK = "block"
    ROUTING_FAILURE = "routing-failure"
    TRANSIENT_BOUNCE = "transient-bounce"
    MESSAGE_FAULT = "message-fault"
    SENDER_FAULT = "sender-fault"
    AUTOMATIC_REPLY = "automatic-reply"
    ACCOUNT_LEVEL_BOUNCE = "account-level-bounce"
    ACCOUNT_LEVEL_COMPLAINT = "account-level-complaint"
    TENANT_LIST_BOUNCE = "tenant-list-bounce"
    TENANT_LIST_COMPLAINT = "tenant-list-complaint"
    SES_LIST = "ses-list"
    UNSUBSCRIBED = "unsubscribed"
    SUBSCRIBED = "subscribed"
    COMPLAINT = "complaint"
    AUTHENTICATION_FAILURE = "authentication-failure"
    NOT_SPAM = "not-spam"
    DELIVERY = "delivery"
    SUPPRESS = "suppress"
    IMPORT = "import"
    REACTIVATE = "reactivate"
    VOID = "void"


WHEN: Mapping[Rule, str] = {
    Rule.HARD_BOUNCE: "a permanent bounce of a dead mailbox",
    Rule.BLOCK: (
        "a permanent bounce that speaks of policy, reputation or content: a block is not a "
        "dead mailbox"
    ),
    Rule.ROUTING_FAILURE: "a permanent bounce because the route or the receiving system is broken",
    Rule.TRANSIENT_BOUNCE: (
        "every other transient, undetermined or unknown bounce; a permanent one whose "
        "recipient is only delayed, or whose mailbox is full"
    ),
    Rule.MESSAGE_FAULT: (
        "a bounce that is the message's own fault: too large, or its content or attachment refused"
    ),
    Rule.SENDER_FAULT: (
        "a permanent bounce because SPF, DKIM, DMARC, TLS or PTR of the sender is missing or "
        "broken: it says nothing about the recipient"
    ),
    Rule.AUTOMATIC_REPLY: (
        "a general or undetermined bounce without action, status and diagnostic"
    ),
    Rule.ACCOUNT_LEVEL_BOUNCE: (
        "SES did not send: a bounce put the address on its account-level list"
    ),
    Rule.ACCOUNT_LEVEL_COMPLAINT: (
        "SES did not send: a complaint put the address on its account-level list"
    ),
    Rule.TENANT_LIST_BOUNCE: (
        "SES did not send: a bounce put the address on the list of the mail's tenant"
    ),
    Rule.TENANT_LIST_COMPLAINT: (
        "SES did not send: a complaint put the address on the list of the mail's tenant"
    ),
    Rule.SES_LIST: "SES did not send: its global list or its address validation said no",
    Rule.UNSUBSCRIBED: (
        "the recipient unsubscribed at SES, from all mail or from a topic, which is the stream; or "
        "SES did not send, since the recipient had unsubscribed"
    ),
    Rule.SUBSCRIBED: "the recipient subscribed at SES, to all mail or to a topic",
    Rule.COMPLAINT: (
        "somebody marked the mail as spam: abuse, fraud, virus, other, without a type, or a "
        "new type"
    ),
    Rule.AUTHENTICATION_FAILURE: (
        "a report that the mail failed authentication, which nobody complained about"
    ),
    Rule.NOT_SPAM: "somebody took the mark as spam back",
    Rule.DELIVERY: (
        "the receiving server took a mail; kept only where it may void a transient bounce"
    ),
    Rule.SUPPRESS: "an operator suppressed the address",
    Rule.IMPORT: "an operator imported the address",
    Rule.REACTIVATE: "an operator reactivated the address",
    Rule.VOID: "an operator voided a piece of evidence",
}
"""When a piece of evidence meets a rule."""
