"""What `sync` takes for a difference between the two lists."""

from dataclasses import replace
from typing import Any

from ses_suppression.cli.account_level import _Differences
from ses_suppression.evidence import Evidence
from ses_suppression.policy import Policy, Reason
from ses_suppression.record import Record, updated
from tests.unit.test_decision import JANE, hard, opt_out, tenant_bounce, tenant_complaint, verdict

SESSION: Any = None  # it is asked only about what SES has


def pushed(*evidence: Evidence) -> list[tuple[str, Reason]]:
    """Compare what is known about an address with a list at SES that has nothing."""
    record = updated(Record(address=JANE), evidence, Policy())
    assert record is not None
    differences = _Differences()
    differences.compare(record, None, SESSION)
    return differences.push


def test_a_tenants_hold_is_never_pushed_to_the_account_level_list() -> None:
    without_end = replace(verdict(tenant_bounce(0))["tenant:acme"], until=None)
    differences = _Differences()
    hold = Record(address=JANE, suppressions={"tenant:acme": without_end})
    differences.compare(hold, None, SESSION)
    assert differences.push == []
    assert pushed(tenant_bounce(0)) == []
    assert pushed(tenant_complaint(0)) == []
    assert pushed(tenant_bounce(0, tenant="*")) == []
    assert pushed(tenant_complaint(0), hard(1)) == [(JANE, Reason.BOUNCE)]


def test_an_unsubscription_is_not_pushed_as_ses_knows_no_such_reason() -> None:
    assert pushed(opt_out(0)) == []
