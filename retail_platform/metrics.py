"""The metrics layer: MetricFlow writes the SQL of a question, PostgreSQL answers it.

MetricFlow (an extra, installed by ``make metrics``) gets the semantic manifest that ``dbt parse``
wrote and never a connection: what it writes is run by this project's own, as whoever the target
says.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from metricflow.engine.metricflow_engine import MetricFlowEngine, MetricFlowQueryRequest
from metricflow.protocols.sql_client import SqlEngine
from metricflow.sql.render.postgres import PostgresSQLSqlPlanRenderer
from metricflow_semantics.model.dbt_manifest_parser import (
    parse_manifest_from_dbt_generated_manifest,
)
from metricflow_semantics.model.semantic_manifest_lookup import SemanticManifestLookup
from psycopg2.extensions import connection as Connection

from retail_platform.errors import UserError

MANIFEST = "semantic_manifest.json"


def find_manifest(project: Path) -> Path:
    """Where dbt writes the semantic manifest of a project."""
    return Path(os.environ.get("DBT_TARGET_PATH") or project / "target") / MANIFEST


@dataclass(frozen=True)
class Question:
    """What is asked.

    Attributes:
        metrics: Names of metrics.
        group_by: Names of dimensions, as ``metric_time__month`` or ``tienda__cadena``.
        where: A filter, as ``{{ Dimension('tienda__region') }} = 'Norte'``.
        order: Names to sort by, ``-`` before one for the largest first.
        limit: Most rows to return.
    """

    metrics: Sequence[str]
    group_by: Sequence[str] = ()
    where: str | None = None
    order: Sequence[str] = ()
    limit: int | None = None


class _Postgres:
    """What MetricFlow wants to know of a server: its dialect."""

    sql_engine_type = SqlEngine.POSTGRES
    sql_plan_renderer = PostgresSQLSqlPlanRenderer()


class Metrics:
    """The metrics of a project."""

    def __init__(self, manifest: Path) -> None:
        """Read them.

        Args:
            manifest: The semantic manifest that ``dbt parse`` wrote.

        Raises:
            UserError: There is no manifest.
        """
        if not manifest.is_file():
            raise UserError(f"There is no {manifest}. Run `dbt parse` or `make metrics`.")
        self.manifest = parse_manifest_from_dbt_generated_manifest(
            manifest_json_string=manifest.read_text(encoding="utf-8")
        )
        self._engine = MetricFlowEngine(SemanticManifestLookup(self.manifest), _Postgres())  # type: ignore[arg-type]

    def labels(self) -> Mapping[str, tuple[str, str]]:
        """Label and description of each metric."""
        return {
            metric.name: (metric.label or "", metric.description or "")
            for metric in sorted(self.manifest.metrics, key=lambda metric: metric.name)
        }

    def dimensions(self, metrics: Sequence[str]) -> list[str]:
        """Names by which all of some metrics may be asked for."""
        self._refuse_unknown(metrics)
        found = self._engine.simple_dimensions_for_metrics(list(metrics))
        return sorted({dimension.granularity_free_dunder_name for dimension in found})

    def sql(self, question: Question) -> str:
        """The SQL of a question.

        Raises:
            UserError: MetricFlow refuses it.
        """
        self._refuse_unknown(question.metrics)
        request = MetricFlowQueryRequest.create(
            metric_names=list(question.metrics),
            group_by_names=list(question.group_by),
            where_constraints=[question.where] if question.where else None,
            order_by_names=list(question.order),
            limit=question.limit,
        )
        try:
            found = self._engine.explain(request)
        except Exception as error:  # of many kinds, all about the question
            told = str(error).strip().replace("\n\n", "\n")
            raise UserError(f"MetricFlow cannot answer this.\n{told}") from error
        return str(found.sql_statement.without_descriptions.sql)

    def ask(self, session: Connection, question: Question) -> tuple[list[str], list[tuple]]:
        """Names of the columns, and the rows."""
        with session.cursor() as cursor:
            cursor.execute(self.sql(question))
            return [column.name for column in cursor.description or ()], cursor.fetchall()

    def _refuse_unknown(self, metrics: Sequence[str]) -> None:
        known = self.labels()
        unknown = [name for name in metrics if name not in known]
        if unknown or not metrics:
            got = ", ".join(f"'{name}'" for name in unknown) or "none"
            raise UserError(f"metrics: got {got}; allowed are {', '.join(known)}")
