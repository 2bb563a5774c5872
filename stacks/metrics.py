"""The metrics that the functions write (`lambdas/ingest.py`), for alarms and dashboard."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from ses_suppression.metrics import NAMESPACE


def our_metric(
    name: str,
    *,
    period: Duration,
    statistic: str = "Sum",
    label: str | None = None,
    **dimensions: str,
) -> cloudwatch.Metric:
    """Give a metric of ours."""
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map=dimensions,
        period=period,
        statistic=statistic,
        label=label,
    )
