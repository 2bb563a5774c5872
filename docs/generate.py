"""Writes the pages that are made from code: `make docs`. A test fails when they differ."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import assert_never

from benchmarks.page import performance_page
from docs.configuration import attributes_of, cdk_schema, configuration_page
from docs.cost import cost_page
from docs.diagram import diagram
from ses_suppression.core import retention
from ses_suppression.core.policy import (
    CONSEQUENCES,
    DAYS_KEPT,
    Consequence,
    Count,
    NoEffect,
    Policy,
    Suppress,
    Void,
    VoidComplaint,
    VoidTransientBounces,
    VoidUnsubscription,
)
from ses_suppression.core.record import ROOM_FOR_OPERATORS
from ses_suppression.core.refusals import DELAYED, NO_REPLY, OTHERWISE, ROWS, Row
from ses_suppression.core.rules import WHEN, Rule
from stacks.config import WINDOW_DAYS

DOCS = Path(__file__).parent


def policy_page() -> str:
    """Give the text of `docs/policy.md`."""
    return "\n".join(_policy_page()) + "\n"


def _policy_page() -> Iterator[str]:
    policy = Policy()
    yield "# Policy"
    yield ""
    yield "<!-- made by `make docs` from ses_suppression/core/rules.py, policy.py, refusals.py and retention.py -->"
    yield ""
    yield (
        "The verdict on an address is a pure function of everything that is known about it, in order of time. "
        "Each piece of evidence meets one rule. Days are those of the default thresholds."
    )
    yield ""
    yield "| rule | when | then |"
    yield "|---|---|---|"
    for rule in Rule:
        yield f"| `{rule}` | {WHEN[rule]} | {_then(CONSEQUENCES[rule], policy)} |"
    yield ""
    yield from _notes()
    yield ""
    yield from _senders(policy)
    yield ""
    yield "## Thresholds"
    yield ""
    yield "An environment sets its own in `cdk.json`, under `policy`."
    yield ""
    yield "| key | default | meaning |"
    yield "|---|---|---|"
    meanings = attributes_of(Policy)
    for field in fields(Policy):
        yield f"| `{field.name}` | {_default(getattr(policy, field.name))} | {meanings[field.name]} |"
    yield ""
    yield "## What a permanent bounce says"
    yield ""
    yield (
        "The first row that matches decides. A reply that is quoted in the diagnostic is asked before the "
        "reply around it. The code is the recipient's `status`, then the first of the diagnostic; a code "
        "without a row is passed over. The words are compared in lower case, without accents, codes, hosts "
        "and pages."
    )
    yield ""
    yield "| row | code | words | rule | why |"
    yield "|---|---|---|---|---|"
    for row in (DELAYED, NO_REPLY, *ROWS, OTHERWISE):
        yield f"| {row.name} | {_codes(row)} | {_words(row)} | `{row.rule}` | {row.why} |"
    yield ""
    yield "## What is kept"
    yield ""
    yield (
        "What is kept decides like everything that was ever seen: in any order, with any repetition. Of each class (what "
        "a piece of evidence would do: rule, stream, reason) these are kept:"
    )
    yield ""
    yield (
        f"- what holds mail back: the first, the last {retention.NEWEST} (of complaints {retention.COMPLAINTS}), the "
        f"{retention.LAST_MAILED} whose mail was sent last, the {retention.LONGEST} that end last"
    )
    yield (
        "- the rest of such a class as a tally: from when to when, until when. It goes on holding mail back. An undo "
        "voids it only if it covers the whole time, and asks for no words but those that all of it has; a "
        "reactivation as if each piece were there"
    )
    for rule, days in DAYS_KEPT.items():
        yield (
            f"- `{rule}`: of each of the newest {days} UTC days the first and the last; the words of the newest "
            f"{retention.IN_FULL} days"
        )
    yield (
        f"- `delivery`, by its time alone, of an address with a transient bounce: the last {retention.DELIVERIES} until "
        f"{retention.DELIVERIES_FOR.days} days after the last bounce, then the first of a week for {retention.WEEKS} weeks"
    )
    yield f"- of the newest {retention.UNDOS} undos the last {retention.OF_AN_UNDO} voids each"
    yield f"- of everything else the last {retention.RECORDED}, on each stream"
    yield ""
    yield (
        f"Of tenants the {retention.TENANTS} with the newest holds are kept, of each the last {retention.OF_A_TENANT} pieces. "
        f"On more than {retention.STREAMS} streams an address holds back every stream, and operators are refused. An item's "
        f"evidence takes {retention.LARGEST // 1000} KB at most; above {ROOM_FOR_OPERATORS // 1000} KB operators are refused."
    )


def _then(consequence: Consequence, policy: Policy) -> str:
    match consequence:
        case Suppress():
            reason = consequence.reason or "the reason that was imported, else MANUAL"
            end = _end(consequence, policy)
            return (
                f"**{reason}** on {consequence.scope.value}, {end}; origin `{consequence.origin}`"
            )
        case Count(hold=hold):
            return (
                f"counted, at most once a UTC day; {policy.transient_bounces} days in a row, with no delivery in "
                f"between: **{hold.reason}**, {_end(hold, policy)}, and a new streak begins"
            )
        case VoidTransientBounces():
            return (
                "voids the transient bounces before it, and a hold that rests on them, unless mail was under way "
                "that bounced: between the sending of a UTC day's first such mail and its last bounce"
            )
        case VoidComplaint():
            return (
                "lifts an uncertain complaint before it about the same mail and stream, if it is certain itself; "
                "else recorded"
            )
        case VoidUnsubscription():
            return (
                "lifts `unsubscribed` before it on the same stream; where it is for all mail, also what SES did "
                "not send, on any stream"
            )
        case Void():
            return "voids other evidence"
        case NoEffect():
            return "recorded"
        case _:
            assert_never(consequence)


def _end(consequence: Suppress, policy: Policy) -> str:
    if consequence.days is None:
        return (
            "without end"
            if consequence.reason and consequence.origin != "operator"
            else "with its own end, if any"
        )
    days = getattr(policy, consequence.days)
    doubled = f", each one after the first twice as long, at most {policy.longest_hold_days}"
    return f"for {days} days (`{consequence.days}`){doubled if consequence.doubling else ''}"


def _notes() -> Iterator[str]:
    yield "- An address or domain in `never_suppress` is only recorded, whatever happens."
    yield "- A complaint on a stream in `complaints_do_not_block` is recorded."
    yield (
        "- After a reactivation nothing before it counts: a bounce by the time of its mail, a complaint by the "
        "later of its own and its mail's. Without the person's consent complaints count on, also those that come later. "
        "With a stream it lifts only complaints, unsubscriptions and entries on "
        "that stream."
    )
    yield (
        "- Causes are kept apart: bounces, complaints and operators' entries each have their own end, and what "
        "lifts one leaves the others. The cause that lasts longest speaks; between equals COMPLAINT, then "
        "MANUAL, then BOUNCE."
    )
    yield (
        "- A suppression of the mailbox simulator's addresses ends after `simulator_days`, and its record with it."
    )


def _senders(policy: Policy) -> Iterator[str]:
    days = policy.transient_bounces
    yield "## A full mailbox, by how often you mail it"
    yield ""
    yield "| mail | held back with the bounce of | with `deliveries: false` |"
    yield "|---|---|---|"
    window = f"{days} bounces within {WINDOW_DAYS} days are needed"
    yield f"| several a day, or daily | the {days}th day | the same: {window} |"
    yield f"| weekly | the {days}th week | never: {window} |"
    yield f"| monthly | the {days}th month | never: {window} |"
    yield ""
    yield (
        "One delivery in between, and a new streak begins. Without deliveries nothing would end a streak, so there the bounces "
        f"have to fall within `transient_window_days`, which is then {WINDOW_DAYS}."
    )


def _default(value: object) -> str:
    return "none" if value is None or value == frozenset() else str(value)


def _codes(row: Row) -> str:
    return ", ".join(f"`{code}`" for code in row.codes) or "none"


def _words(row: Row) -> str:
    return " ".join(f"`{words}`" for words in row.words).replace("|", "\\|") or "any"


def architecture_page() -> str:
    """Give the text of `docs/architecture.md`: by hand, but for the picture."""
    text = (DOCS / "architecture.md").read_text()
    before, _, rest = text.partition(_PICTURE)
    _, _, after = rest.partition(_PICTURE_END)
    picture = "\n".join(diagram())
    return f"{before}{_PICTURE}\n\n{picture}\n\n{_PICTURE_END}{after}"


_PICTURE = "<!-- the picture: made by `make docs` from the template -->"
_PICTURE_END = "<!-- the end of the picture -->"

PAGES: Mapping[Path, Callable[[], str]] = {
    DOCS / "policy.md": policy_page,
    DOCS / "configuration.md": configuration_page,
    DOCS / "cdk.schema.json": cdk_schema,
    DOCS / "architecture.md": architecture_page,
    DOCS / "cost.md": cost_page,
    DOCS / "performance.md": performance_page,
}


def main() -> None:
    """Write all pages."""
    for path, page in PAGES.items():
        path.write_text(page())


if __name__ == "__main__":
    main()
