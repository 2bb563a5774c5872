"""The answer to a request of CloudFormation for a custom resource."""

import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

_MAX_REASON = 1024
_PAUSES = (1.0, 2.0, 4.0, 8.0)


def respond(
    event: Mapping[str, Any],
    physical_id: str,
    reason: str | None,
    *,
    data: Mapping[str, str] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Tell CloudFormation how it ended; without this it would wait for an hour.

    A failed answer is sent again here. If Lambda handled the whole event again, the settings that
    were replaced would already be lost.

    Args:
        event: the request.
        physical_id: the name of the resource.
        reason: why it failed; None: it did not.
        data: the attributes of the resource; with the rest up to 4 KB ("Custom resource response
            objects", CloudFormation user guide).
        sleep: waits between two attempts, in seconds.
    """
    body = {
        "Status": "FAILED" if reason else "SUCCESS",
        "Reason": (reason or "done")[:_MAX_REASON],
        "PhysicalResourceId": physical_id,
        "Data": data or {},
        **{key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")},
    }
    request = urllib.request.Request(  # noqa: S310  # the URL is CloudFormation's
        event["ResponseURL"],
        data=json.dumps(body).encode(),
        method="PUT",
        headers={"Content-Type": ""},
    )
    for pause in (*_PAUSES, None):
        try:
            with urllib.request.urlopen(request, timeout=10):  # noqa: S310  # as above
                return
        except OSError:
            if pause is None:
                raise
            sleep(pause)
