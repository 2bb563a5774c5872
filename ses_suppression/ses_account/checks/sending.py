"""May the account send, from its identities, and does a stack hear of mail from all regions?"""

from collections.abc import Iterator

from botocore.exceptions import ClientError

from ses_suppression.arns import region_and_name
from ses_suppression.deployment import STACK_PREFIX, StackOutput
from ses_suppression.ses_account.environment import Environment, Stack
from ses_suppression.ses_account.health import (
    Finding,
    Level,
    check_account,
    check_identity,
    missing_right,
)


def check_sending(environment: Environment) -> Iterator[Finding]:
    """Look at the account in this region, and at each configured identity."""
    sesv2 = environment.client("sesv2")
    yield from check_account(sesv2)
    for identity in environment.stack.identities:
        yield from check_identity(sesv2, identity)


def check_regions(environment: Environment) -> Iterator[Finding]:
    """Find each region of a multi-region endpoint without a stack that writes to the table."""
    pages = environment.client("sesv2").get_paginator("list_multi_region_endpoints").paginate()
    try:
        endpoints = [one for page in pages for one in page.get("MultiRegionEndpoints", [])]
    except ClientError as error:
        # A region without multi-region endpoints refuses the call, and so has none.
        if error.response["Error"]["Code"] != "BadRequestException":
            yield missing_right(error, "multi-region endpoints", "ses:ListMultiRegionEndpoints")
        return
    for endpoint in endpoints:
        for region in endpoint.get("Regions", []):
            if not _has_stack_in(environment, region):
                yield Finding(
                    f"multi-region endpoint {endpoint['EndpointName']}",
                    Level.FAILED,
                    f"it sends from {region} too, where no stack writes to this table: "
                    "that feedback does not come here",
                    f"deploy an environment in {region}: see docs/deployment.md#a-second-region",
                )


def _has_stack_in(environment: Environment, region: str) -> bool:
    """Whether a stack in a region writes to the environment's table, during an update too.

    A stack that is being created has no outputs yet; one that is being deleted still has them.
    """
    home = environment.client("cloudformation").meta.region_name
    ours = _read_table(environment.stack, home)
    pages = environment.client("cloudformation", region).get_paginator("describe_stacks").paginate()
    return any(
        found["StackName"].startswith(STACK_PREFIX)
        and not found["StackStatus"].startswith("DELETE")
        and _read_table(Stack.of_answer(found), region) == ours
        for page in pages
        for found in page["Stacks"]
    )


def _read_table(stack: Stack, region: str) -> tuple[str, str]:
    """Return the region and the name of a stack's table; no name while it has no outputs."""
    elsewhere, name = region_and_name(stack.outputs.get(StackOutput.TABLE_NAME, ""))
    return elsewhere or region, name
