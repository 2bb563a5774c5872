"""The metrics in CloudWatch: written by the functions, read by alarms, dashboard and `doctor`."""

NAMESPACE = "SESSuppression"

GIVEN_BACK = "GivenBack"
"""Messages that a function gave back to its queue: of the environment, whatever their kind."""
