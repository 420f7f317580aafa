"""Creates the platform's database roles, schemas and privileges; can be repeated at any time.

Connect as an administrator (on RDS: the master user) through the target's own variables. Passwords
of the roles are read from RETAIL_LOADER_PASSWORD, RETAIL_TRANSFORMER_PASSWORD and
RETAIL_READER_PASSWORD; a role whose variable is not set keeps the password it has.
"""

import argparse
import os
from collections.abc import Sequence
from datetime import date

from retail_platform.project import find_project
from retail_platform.roles import LOGINS, create_roles
from retail_platform.targets import administrator_of


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line and create the roles."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", default="rds", help="a target of profiles.yml (%(default)s)")
    parser.add_argument("--iam", action="store_true", help="log in with IAM tokens, not passwords")
    parser.add_argument(
        "--reader-until",
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="last day of retail_reader's password, for a temporary reviewer",
    )
    options = parser.parse_args(argv)

    passwords = {
        role.name: os.environ[role.password_variable]
        for role in LOGINS
        if role.password_variable and os.environ.get(role.password_variable)
    }
    without = create_roles(
        administrator_of(options.target, find_project()),
        passwords,
        iam=options.iam,
        reader_until=f"{options.reader_until} 23:59:59" if options.reader_until else "infinity",
    )
    for role in LOGINS:
        if options.iam:
            print(f"{role.name}: logs in with IAM tokens")
        elif role.name in without:
            print(
                f"{role.name}: has NO PASSWORD, so it cannot log in. "
                f"Give it one: export {role.password_variable}=..., then this command again"
            )
        else:
            print(f"{role.name}: password {'set' if role.name in passwords else 'as it was'}")
