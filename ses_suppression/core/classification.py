"""Which rule a piece of evidence meets, by itself. What follows from a rule is the policy's."""

from typing import assert_never

from ses_suppression.core.diagnosis import diagnose
from ses_suppression.core.evidence import TENANT_LIST, Evidence, Kind
from ses_suppression.core.rules import Rule

_ACCOUNT_LEVEL_LIST = "OnAccountSuppressionList"
_SES_LISTS = frozenset({"Suppressed", "EmailValidationSuppressed"})
_MESSAGE_FAULTS = frozenset({"MessageTooLarge", "ContentRejected", "AttachmentRejected"})
_GENERAL = frozenset({"General", "Undetermined"})
_RULES = {rule.value: rule for rule in Rule}


def rule_of(evidence: Evidence) -> Rule:
    """Give the rule that a piece of evidence meets by itself; total: every input has an answer."""
    if evidence.rule is not None:
        return _RULES.get(evidence.rule, Rule.SUPPRESS)  # of a newer version: it holds mail back
    return _told_by(evidence)


def _told_by(evidence: Evidence) -> Rule:
    match evidence.kind:
        case Kind.BOUNCE:
            return _bounce_rule(evidence)
        case Kind.COMPLAINT:
            return _complaint_rule(evidence)
        case Kind.DELIVERY:
            return Rule.DELIVERY
        case Kind.SUBSCRIPTION:
            return Rule.SUBSCRIBED if evidence.subscribed else Rule.UNSUBSCRIBED
        case Kind.SUPPRESS:
            return Rule.SUPPRESS
        case Kind.IMPORT:
            return Rule.IMPORT
        case Kind.REACTIVATE:
            return Rule.REACTIVATE
        case Kind.VOID:
            return Rule.VOID
        case Kind.TALLY:
            return Rule.SUPPRESS
        case _:
            assert_never(evidence.kind)


def may_be_automatic_reply(evidence: Evidence) -> bool:
    """Tell whether a bounce may report an automatic reply.

    SES reports those as general or undetermined bounces; a failed delivery has action and status.
    """
    is_failure = (evidence.action or "").lower() == "failed" and evidence.status
    return not is_failure and (
        evidence.bounce_type == "Undetermined"
        or (evidence.bounce_type == "Transient" and evidence.bounce_sub_type in _GENERAL)
    )


def _bounce_rule(bounce: Evidence) -> Rule:
    if bounce.bounce_sub_type == _ACCOUNT_LEVEL_LIST:
        return Rule.ACCOUNT_LEVEL_BOUNCE
    if bounce.bounce_sub_type == TENANT_LIST:
        return Rule.TENANT_LIST_BOUNCE
    if bounce.bounce_sub_type in _SES_LISTS:
        return Rule.SES_LIST
    if bounce.bounce_sub_type == "UnsubscribedRecipient":
        return Rule.UNSUBSCRIBED
    if bounce.bounce_type == "Permanent":
        return diagnose(bounce).rule
    if bounce.bounce_type == "Transient" and bounce.bounce_sub_type in _MESSAGE_FAULTS:
        return Rule.MESSAGE_FAULT
    if may_be_automatic_reply(bounce) and not (bounce.action or bounce.status or bounce.diagnostic):
        return Rule.AUTOMATIC_REPLY
    return Rule.TRANSIENT_BOUNCE


def _complaint_rule(complaint: Evidence) -> Rule:
    if complaint.sub_type == _ACCOUNT_LEVEL_LIST:
        return Rule.ACCOUNT_LEVEL_COMPLAINT
    if complaint.sub_type == TENANT_LIST:
        return Rule.TENANT_LIST_COMPLAINT
    match complaint.feedback_type:
        case "auth-failure":
            return Rule.AUTHENTICATION_FAILURE
        case "not-spam":
            return Rule.NOT_SPAM
        case _:  # abuse, fraud, virus, other, none, and whatever is invented next
            return Rule.COMPLAINT
