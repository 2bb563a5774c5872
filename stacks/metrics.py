"""The metrics that the functions write (`lambdas/ingest.py`), for alarms and dashboard."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from ses_suppression.deployment import METRIC_NAMESPACE, Dimension


def our_metric(
    name: str,
    *,
    period: Duration,
    statistic: str = "Sum",
    label: str | None = None,
    environment: str,
    service: str | None = None,
    provider: str | None = None,
) -> cloudwatch.Metric:
    """Return a metric of ours."""
    dimensions = {
        Dimension.ENVIRONMENT: environment,
        Dimension.SERVICE: service,
        Dimension.PROVIDER: provider,
    }
    return cloudwatch.Metric(
        namespace=METRIC_NAMESPACE,
        metric_name=name,
        dimensions_map={name.value: text for name, text in dimensions.items() if text},
        period=period,
        statistic=statistic,
        label=label,
    )
