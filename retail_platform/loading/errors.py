"""What can go wrong with a delivery or with the database, said to a user."""

from retail_platform.errors import UserError

CATALOGUE_REFUSED = 3
"""Exit code of the report: everything is accounted for, but catalogue rows were refused."""


class LoadError(UserError):
    """A delivery or a target that cannot be loaded."""


class TooManyRejectedError(LoadError):
    """A file whose share of refused rows is above the threshold."""
