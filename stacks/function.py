"""A Lambda function as all of ours are: its own role, its own log, the newest runtime."""

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct, IDependable


def make_function(
    scope: Construct,
    *,
    module: str,
    description: str,
    code: lambda_.Code,
    memory: int,
    timeout: Duration,
    environment: Mapping[str, str] | None = None,
) -> lambda_.Function:
    """Make the function of a construct, with a role that may write its own log and nothing else.

    Args:
        scope: the construct; it gets `Logs`, `Role` and `Function`.
        module: of `lambdas/`; its `handler` is called.
        description: shown in the console.
        code: of all functions.
        memory: in MiB.
        timeout: for one call.
        environment: variables.
    """
    # How long it is kept, and under which key, the stack says for all of them.
    log_group = logs.LogGroup(scope, "Logs", removal_policy=RemovalPolicy.DESTROY)
    role = iam.Role(scope, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log_group.grant_write(role)
    return lambda_.Function(
        scope,
        "Function",
        description=f"SES suppression list: {description}",
        runtime=lambda_.Runtime.PYTHON_3_14,
        architecture=lambda_.Architecture.ARM_64,
        handler=f"lambdas.{module}.handler",
        code=code,
        role=role,
        memory_size=memory,
        timeout=timeout,
        log_group=log_group,
        logging_format=lambda_.LoggingFormat.JSON,
        environment=environment,
    )


def parts_before(function: lambda_.Function) -> list[IDependable]:
    """Give the parts of a function that need no table: its log, and its role without its rights."""
    role = function.role.node.default_child if function.role else None
    return [part for part in (role, function.log_group) if part]
