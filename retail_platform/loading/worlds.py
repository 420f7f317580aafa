"""Keeps two simulated worlds out of one database."""

from contextlib import closing
from pathlib import Path

from retail_platform.errors import UserError
from retail_platform.loading.files import PARQUET_SUFFIX, sha256
from retail_platform.loading.ledger import COMPLETE
from retail_platform.postgres.connection import connect
from retail_platform.targets import connection_parameters


def refuse_other_world(target: str, data: Path) -> None:
    """Stop before the files of a simulated world are loaded over those of another.

    Their keys overlap: a load would replace some rows of the first world and leave the others. Two
    folders are of the same world when they share at least one month of sales, byte for byte.

    Args:
        target: A target of profiles.yml.
        data: The simulator's folder.

    Raises:
        UserError: If sales were loaded before and none of their files is in the folder.
    """
    with closing(connect(connection_parameters(target))) as session, session.cursor() as cursor:
        cursor.execute("select to_regclass('staging.cargas') is not null")
        if cursor.fetchone() == (False,):
            return
        cursor.execute(
            "select sha256 from staging.cargas where tabla = %s and estado = %s",
            ["raw_ventas", COMPLETE],
        )
        loaded = {row[0] for row in cursor.fetchall()}
    months = sorted((data / "ventas").glob(f"*{PARQUET_SUFFIX}"))
    if loaded and not any(sha256(path) in loaded for path in months):
        start_anew = (
            "make clean-db, then make build again"
            if target == "local"
            else ("drop the schemas staging, retail and cuarentena there")
        )
        raise UserError(
            f"Target '{target}' holds the sales of another simulated world than {data} (another "
            f"scale, seed or first day), and the two would mix. To start anew: {start_anew}. To go "
            "on with the loaded world, use its settings again."
        )
