"""What a scope sees of a reading of the source: its figures are computed as if there were nothing else."""

from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Self

import pyarrow as pa

from kpi_pipeline.assets.certificate_blocks import CertificateList
from kpi_pipeline.assets.digests import COMPUTING, code_digest, digest_of
from kpi_pipeline.assets.figures import Figures
from kpi_pipeline.compute.listing.outlooks import client_outlooks
from kpi_pipeline.compute.reconciliation import reconcile_rollup
from kpi_pipeline.compute.rollup.rollup import RolledUp, roll_up_shards
from kpi_pipeline.compute.rollup.shard_sums import Definitions
from kpi_pipeline.compute.rollup.shards import Shard, shards_of
from kpi_pipeline.compute.scoped_rows import rows_within
from kpi_pipeline.model.scopes import Scope
from kpi_pipeline.resources.month_parts import DATED_BY
from kpi_pipeline.resources.source import SourceResource
from kpi_pipeline.resources.stored_tables import StoredTable
from kpi_pipeline.sources.provenance import Provenance


@dataclass(frozen=True)
class ScopedSource:
    """A reading of the source, of which scopes see parts.

    Attributes:
        certificates: All certificates.
        costs: All costs.
        origin: Where they are from.
        definitions: What figures go by.
    """

    certificates: pa.Table
    costs: pa.Table
    origin: Provenance
    definitions: Definitions

    @classmethod
    def of(cls, certificates: StoredTable, costs: StoredTable, source: SourceResource) -> Self:
        """That of the tables of a run.

        Args:
            certificates: As the run has read them.
            costs: Likewise.
            source: Settings of the figures.
        """
        definitions = Definitions(source.today(), source.thresholds(), source.window_months())
        return cls(certificates.table(), costs.table(), certificates.origin, definitions)

    def within(self, scope: Scope) -> "ScopedReading":
        """What a scope sees of it."""
        certificates, costs = (rows_within(rows, scope.filter) for rows in (self.certificates, self.costs))
        return ScopedReading(
            scope,
            tuple(shards_of(certificates, DATED_BY, digests=True)),
            tuple(shards_of(costs, "invoiced_on", digests=True)),
            self.origin,
            self.definitions,
        )


@dataclass(frozen=True)
class ScopedReading:
    """What a scope sees of a reading.

    Attributes:
        scope: The scope.
        certificates: Its certificates, by month of issue.
        costs: Its costs, by month of invoice.
        origin: Where all of the source is from.
        definitions: What figures go by.
    """

    scope: Scope
    certificates: tuple[Shard, ...]
    costs: tuple[Shard, ...]
    origin: Provenance
    definitions: Definitions

    @cached_property
    def provenance(self) -> Provenance:
        """Where its figures come from: nothing of it depends on what is outside of the scope."""
        definitions = self.definitions
        digests = [[shard.digest for shard in shards] for shards in (self.certificates, self.costs)]
        content = digest_of(
            self.scope.id,
            digests,
            code_digest(*COMPUTING),
            definitions.as_of,
            definitions.window_months,
            definitions.thresholds,
        )
        return replace(self.origin.of_rollup(definitions.as_of, content), watermark=None)

    @cached_property
    def rolled_up(self) -> RolledUp:
        """Its roll-up; raises `SumTooLarge`."""
        return roll_up_shards(self.certificates, self.costs, self.definitions)

    @cached_property
    def figures(self) -> Figures:
        """Its figures; raises `SumTooLarge`."""
        definitions = self.definitions
        return Figures.of(
            self.rolled_up.rollup, definitions.as_of, definitions.window_months, definitions.thresholds
        )

    def problems(self) -> list[str]:
        """Why it is not to be published, as sentences; raises `SumTooLarge`."""
        found = reconcile_rollup(self.rolled_up.totals, self.rolled_up.rollup)
        return [*found, *(problem for problems in self.figures.problems.values() for problem in problems)]

    @cached_property
    def listed(self) -> CertificateList:
        """Its list of certificates, with bridges; raises `SumTooLarge`."""
        rollup, definitions = self.rolled_up.rollup, self.definitions
        return CertificateList(
            self.certificates,
            definitions.as_of,
            definitions.thresholds,
            digest_of(self.origin.source, self.origin.mapping, self.scope.id),
            definitions.window_months,
            client_outlooks(
                rollup.outlooks,
                rollup.stage_medians,
                rollup.work_lists,
                self.figures.cube.frame.forecast_bases,
                definitions.as_of,
            ),
        )

    @property
    def as_of(self) -> date:
        """The business date."""
        return self.definitions.as_of
