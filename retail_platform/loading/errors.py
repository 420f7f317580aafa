"""What can go wrong with a delivery or with the database, said to a user."""

from retail_platform.errors import TEMPORARY, UserError

CATALOGUE_REFUSED = 3
"""Exit code of the report: everything is accounted for, but catalogue rows were refused."""


class LoadError(UserError):
    """A delivery or a target that cannot be loaded."""


class NoConnectionError(LoadError):
    """A target that does not answer now."""

    exit_code = TEMPORARY


class TooManyRejectedError(LoadError):
    """A file whose share of refused rows is above the threshold."""
