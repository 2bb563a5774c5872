"""The former place of `Snapshot`: it could not know who unsubscribed after it was taken."""

from ses_suppression.deprecation import remove

__getattr__ = remove(
    __name__,
    "Snapshot",
    "`SuppressionList.iter_screen`, or the command `ses-suppression screen FILE`",
)
