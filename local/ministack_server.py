"""The emulator's own process: ministack, with what this project needs and ministack leaves out.

It answers `GetIdentityNotificationAttributes`, which ministack does not know, from ministack's own
state, and the calls for SES's account-level suppression list, which ministack knows by name only.
It says that there are no multi-region endpoints. It publishes the events of configuration sets, and
gives the DKIM records of identities to CloudFormation. IAM's conditions see the projections of
`BatchGetItem` and `TransactGetItems`, where ministack reads that of `GetItem` only, and from whom
and to whom a mail is. Who sets an identity's default configuration set needs the right on that set
too, as with AWS. An alarm on several metrics is there as one on the first of them, since ministack
refuses it. It keeps off port 443, which ministack tries to take beside its own. It ends when its
standard input is closed, so that it cannot outlive whoever started it, however that ended.
"""

import json
import os
import signal
import sys
import threading
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from ministack import app
from ministack.core import iam_actions
from ministack.core.responses import get_account_id, json_response
from ministack.services import s3, ses, ses_v2
from ministack.services.cloudformation import provisioners

from local import event_publishing
from local.suppressed_destinations import SuppressedDestinations
from ses_suppression.deployment import NotificationType

_answer_ses, _answer_ses_v2 = ses.handle_request, ses_v2.handle_request
_identity_resource = provisioners._RESOURCE_HANDLERS["AWS::SES::EmailIdentity"]  # noqa: SLF001
_make_identity = _identity_resource["create"]
_context_of_tags = iam_actions.request_tag_context
_context_of_read = iam_actions.dynamodb_service_context
_enforce_on_identity = app._enforce_ses_v2  # noqa: SLF001
_alarm_on_one_metric = provisioners._cw_metric_alarm_record  # noqa: SLF001


def _read_object(bucket: str, key: str) -> bytes:
    return s3._get_object_data(bucket, key) or b""  # noqa: SLF001  # there is no public way to ask


_suppressed_destinations = SuppressedDestinations(_read_object)


async def _handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:  # noqa: ANN401  # ministack's own
    parameters = parse_qs(body.decode("utf-8", errors="replace"))
    event_publishing.note_v1(parameters)
    if parameters.get("Action") == ["GetIdentityNotificationAttributes"]:
        return _notification_attributes(
            [values[0] for name, values in parameters.items() if "Identities" in name]
        )
    return await _answer_ses(method, path, headers, body, query)


async def _handle_v2_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:  # noqa: ANN401  # ministack's own
    path = path.rstrip("/")
    answer = _suppressed_destinations.answer(
        method, path, query, body
    ) or event_publishing.answer_identity(method, path, body)
    if (method, path) == ("GET", "/v2/email/multi-region-endpoints"):
        answer = 200, {"MultiRegionEndpoints": []}
    if answer is None:
        theirs = await _answer_ses_v2(method, path, headers, body, query)
        event_publishing.tell_v2(method, path, body, theirs)
        return theirs
    status, document = answer
    return json_response(document, status)


def _notification_attributes(identities: list[str]) -> Any:  # noqa: ANN401  # ministack's own
    entries = "".join(
        f"<entry><key>{escape(identity)}</key><value>{_attributes(ses._identities[identity])}</value></entry>"  # noqa: SLF001
        for identity in identities
        if identity in ses._identities  # noqa: SLF001  # there is no public way to ask
    )
    return ses._xml(  # noqa: SLF001
        200,
        "GetIdentityNotificationAttributesResponse",
        "<GetIdentityNotificationAttributesResult>"
        f"<NotificationAttributes>{entries}</NotificationAttributes>"
        "</GetIdentityNotificationAttributesResult>",
    )


def _attributes(identity: dict[str, Any]) -> str:
    topics = "".join(
        f"<{kind}Topic>{escape(topic)}</{kind}Topic>"
        for kind in NotificationType
        if (topic := identity["NotificationTopics"].get(kind))
    )
    forwarding = str(identity["FeedbackForwardingEnabled"]).lower()
    return f"{topics}<ForwardingEnabled>{forwarding}</ForwardingEnabled>"


def _create_identity(logical_id: str, properties: dict[str, Any], stack_name: str) -> Any:  # noqa: ANN401  # ministack's own
    identity, attributes = _make_identity(logical_id, properties, stack_name)
    for number, token in enumerate(ses_v2._dkim_tokens(identity), start=1):  # noqa: SLF001
        attributes[f"DkimDNSTokenName{number}"] = f"{token}._domainkey.{identity}"
        attributes[f"DkimDNSTokenValue{number}"] = f"{token}.dkim.amazonses.com"
    return identity, attributes


def _dynamodb_context(body: bytes) -> dict[str, Any]:
    """Give what a request is judged by: all attributes, where one of its reads names none."""
    context: dict[str, Any] = _context_of_read(body)
    reads = _reads(json.loads(body or b"{}")) if context else []
    if not reads:
        return context
    contexts = [_context_of_read(json.dumps(read).encode()) for read in reads]
    attributes = {name for one in contexts for name in one.get("dynamodb:Attributes", ())}
    selects = {one["dynamodb:Select"] for one in contexts}
    context["dynamodb:Select"] = selects.pop() if len(selects) == 1 else "ALL_ATTRIBUTES"
    return {**context, "dynamodb:Attributes": sorted(attributes)} if attributes else context


def _reads(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the parts of a `BatchGetItem`, one a table, or of a `TransactGetItems`, one an item."""
    tables = request.get("RequestItems") or {}
    gets = (item.get("Get") for item in request.get("TransactItems") or [])
    return [part for part in (*tables.values(), *gets) if isinstance(part, dict)]


def _request_context(service: str, action: str, body: bytes, parameters: dict[str, Any]) -> Any:  # noqa: ANN401  # ministack's own
    """Give what a request is judged by, and of a mail from whom and to whom it is."""
    context: dict[str, Any] = _context_of_tags(service, action, body, parameters)
    if action == "ses:SendEmail":
        mail = parse_qs(body.decode("utf-8", errors="replace"))
        recipients = [
            value
            for name, values in mail.items()
            if name.startswith("Destination.")
            for value in values
        ]
        context["ses:Recipients"] = recipients
        context["ses:FromAddress"] = mail.get("Source", [""])[0]
    return context


def _enforce_ses_v2(method: str, path: str, headers: Any, body: bytes, *rest: Any) -> Any:  # noqa: ANN401  # ministack's own
    query, request_id = rest
    denied = _enforce_on_identity(method, path, headers, body, query, request_id)
    name = json.loads(body or b"{}").get("ConfigurationSetName") if method == "PUT" else None
    if denied is None and name and path.rstrip("/").endswith("/configuration-set"):
        region, account = app.extract_region(headers, query), get_account_id()
        arn = f"arn:aws:ses:{region}:{account}:configuration-set/{name}"
        return app._enforce_data_plane(  # noqa: SLF001
            "sesv2",
            "ses:PutEmailIdentityConfigurationSetAttributes",
            headers,
            query,
            request_id,
            resource_arn=arn,
            named_resource=arn,
        )
    return denied


def _alarm(name: str, properties: dict[str, Any]) -> Any:  # noqa: ANN401  # ministack's own
    stats = [one["MetricStat"] for one in properties.get("Metrics", ()) if "MetricStat" in one]
    if stats:
        first = stats[0]
        one_metric = {**first["Metric"], "Period": first["Period"], "Statistic": first["Stat"]}
        properties = {**properties, **one_metric, "Metrics": None}
    return _alarm_on_one_metric(name, properties)


def _end_with_parent() -> None:
    sys.stdin.read()
    os.killpg(os.getpgid(0), signal.SIGKILL)  # the functions' processes too


def main() -> None:
    """Serve until standard input is closed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    ses.handle_request = _handle_request
    ses_v2.handle_request = _handle_v2_request
    event_publishing.install()
    iam_actions.dynamodb_service_context = _dynamodb_context
    iam_actions.request_tag_context = _request_context
    _identity_resource["create"] = _create_identity
    provisioners._cw_metric_alarm_record = _alarm  # noqa: SLF001
    app._enforce_ses_v2 = _enforce_ses_v2  # noqa: SLF001
    app._port_is_bindable = lambda _host, _port: False  # noqa: SLF001
    sys.argv = ["ministack"]
    app.main()


if __name__ == "__main__":
    main()
