"""Which rule a piece of evidence meets, by itself.

The policy (`policy.py`) says what follows from a rule. Rule names are stable: documentation,
`explain`, metrics and the table share them.
"""

import re
from enum import StrEnum
from typing import assert_never

from ses_suppression.evidence import Evidence, Kind


class Rule(StrEnum):
    """What a piece of evidence amounts to."""

    HARD_BOUNCE = "hard-bounce"
    BLOCK = "block"
    TRANSIENT_BOUNCE = "transient-bounce"
    MESSAGE_FAULT = "message-fault"
    AUTOMATIC_REPLY = "automatic-reply"
    ACCOUNT_LEVEL_BOUNCE = "account-level-bounce"
    ACCOUNT_LEVEL_COMPLAINT = "account-level-complaint"
    SES_LIST = "ses-list"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINT = "complaint"
    AUTHENTICATION_FAILURE = "authentication-failure"
    NOT_SPAM = "not-spam"
    DELIVERY = "delivery"
    SUPPRESS = "suppress"
    IMPORT = "import"
    REACTIVATE = "reactivate"
    VOID = "void"


_ACCOUNT_LEVEL_LIST = "OnAccountSuppressionList"
_SES_LISTS = frozenset({"Suppressed", "OnTenantSuppressionList", "EmailValidationSuppressed"})
_MESSAGE_FAULTS = frozenset({"MessageTooLarge", "ContentRejected", "AttachmentRejected"})
_GENERAL = frozenset({"General", "Undetermined"})

# RFC 3463: class.subject.detail. A subject of 0 says nothing.
_ENHANCED_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_BLOCK_SUBJECTS = frozenset({"6", "7"})  # message content or media; security or policy
_BLOCK_TEXT = re.compile(r"spam|blocked|blacklist", re.IGNORECASE)


def rule_of(evidence: Evidence) -> Rule:
    """Give the rule that a piece of evidence meets by itself; total: every input has an answer."""
    match evidence.kind:
        case Kind.BOUNCE:
            return _bounce_rule(evidence)
        case Kind.COMPLAINT:
            return _complaint_rule(evidence)
        case Kind.DELIVERY:
            return Rule.DELIVERY
        case Kind.SUPPRESS:
            return Rule.SUPPRESS
        case Kind.IMPORT:
            return Rule.IMPORT
        case Kind.REACTIVATE:
            return Rule.REACTIVATE
        case Kind.VOID:
            return Rule.VOID
        case _:
            assert_never(evidence.kind)


def may_be_automatic_reply(evidence: Evidence) -> bool:
    """Tell whether a bounce is of the kind under which SES also reports automatic replies."""
    return evidence.bounce_type == "Undetermined" or (
        evidence.bounce_type == "Transient" and evidence.bounce_sub_type in _GENERAL
    )


def _bounce_rule(bounce: Evidence) -> Rule:
    if bounce.bounce_sub_type == _ACCOUNT_LEVEL_LIST:
        return Rule.ACCOUNT_LEVEL_BOUNCE
    if bounce.bounce_sub_type in _SES_LISTS:
        return Rule.SES_LIST
    if bounce.bounce_sub_type == "UnsubscribedRecipient":
        return Rule.UNSUBSCRIBED
    if bounce.bounce_type == "Permanent":
        return _permanent_rule(bounce)
    if bounce.bounce_type == "Transient" and bounce.bounce_sub_type in _MESSAGE_FAULTS:
        return Rule.MESSAGE_FAULT
    if may_be_automatic_reply(bounce) and not (bounce.action or bounce.status or bounce.diagnostic):
        return Rule.AUTOMATIC_REPLY
    return Rule.TRANSIENT_BOUNCE


def _permanent_rule(bounce: Evidence) -> Rule:
    status = _ENHANCED_STATUS.search(bounce.status or "")
    if (bounce.action or "").lower() == "delayed" or (status and status[1] == "4"):
        return Rule.TRANSIENT_BOUNCE
    if status is None or status[2] == "0":
        status = _ENHANCED_STATUS.search(bounce.diagnostic or "") or status
    if status is not None and status[2] != "0":
        return Rule.BLOCK if status[2] in _BLOCK_SUBJECTS else Rule.HARD_BOUNCE
    return Rule.BLOCK if _BLOCK_TEXT.search(bounce.diagnostic or "") else Rule.HARD_BOUNCE


def _complaint_rule(complaint: Evidence) -> Rule:
    if complaint.sub_type == _ACCOUNT_LEVEL_LIST:
        return Rule.ACCOUNT_LEVEL_COMPLAINT
    if complaint.sub_type in _SES_LISTS:
        return Rule.SES_LIST
    match complaint.feedback_type:
        case "auth-failure":
            return Rule.AUTHENTICATION_FAILURE
        case "not-spam":
            return Rule.NOT_SPAM
        case _:  # abuse, fraud, virus, other, none, and whatever is invented next
            return Rule.COMPLAINT
