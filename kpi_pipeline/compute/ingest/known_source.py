"""A source as it was last read and validated, and the same with some of its rows read again."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple, Self

import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.compute.database import computation
from kpi_pipeline.compute.ingest import validation
from kpi_pipeline.compute.ingest.certificates import KnownRows, Normalised
from kpi_pipeline.compute.ingest.costs import NormalisedCosts
from kpi_pipeline.compute.ingest.lookups import FirstSpelling, FirstSpellings, natural_spelling
from kpi_pipeline.model.certificates import QUARANTINE_SCHEMA
from kpi_pipeline.model.filters import fold
from kpi_pipeline.model.labels import UNASSIGNED
from kpi_pipeline.model.readings import RowReport
from kpi_pipeline.model.states import State

ROWS_SCHEMA: Final = pa.schema(
    [
        pa.field("state", pa.uint64(), nullable=False),
        pa.field("identity", pa.string()),
        pa.field("certificate_id", pa.string()),
        pa.field("log_changes", pa.int64(), nullable=False),
    ]
)
"""One row a source row.

`state` is a hash of what shows whether it has changed, `identity` is by what its key is compared,
`certificate_id` how it is shown, and `log_changes` how many of its changes in the log mean anything.
"""

REFUSED_SCHEMA: Final = pa.schema(
    [
        *QUARANTINE_SCHEMA,
        pa.field("currency", pa.string()),
        pa.field("amount", pa.int64()),
        pa.field("is_superseded", pa.bool_(), nullable=False),
    ]
)
"""One row a refused source row, with what its amount is where that can be read."""


class NotLocal(Exception):
    """Changed rows that bear on others: all must be read."""


class Difference(NamedTuple):
    """A value of a certificate that is another one than it was.

    Attributes:
        certificate_id: The certificate.
        column: The column.
        before: What is known; None where it is not accepted.
        now: What its row gives.
    """

    certificate_id: str
    column: str
    before: Any
    now: Any

    def as_text(self) -> str:
        """The difference as a phrase."""
        return f"{self.certificate_id}: {self.column} is {self.now}, and was known as {self.before}"


@dataclass(frozen=True, slots=True)
class LogState:
    """How far a change log was read.

    Attributes:
        rows: Its rows.
        latest: The latest moment in it, as the database writes it; None where its order is not known.
        rows_at_latest: Its rows of that moment.
        changes_at_latest: Those that mean anything, by the identity of their certificate.
    """

    rows: int
    latest: str | None
    rows_at_latest: int
    changes_at_latest: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class KnownSource:
    """All that is known of a source.

    Attributes:
        rows: Its rows, in ROWS_SCHEMA.
        certificates: The accepted ones, in CERTIFICATE_SCHEMA.
        refused: The others, in REFUSED_SCHEMA.
        conflicts: Disagreements about accepted certificates, in CONFLICT_SCHEMA.
        firsts: By which row each name is spelled.
        has_nameless: Whether there is a name of which folding leaves nothing.
        some_rejected: Whether a row is rejected.
        log: How far the log was read; None without one.
        costs: Its costs.
        costs_digest: Digest of the rows from which they come; None without costs.
        watermark: Its watermark; None without rows.
        latest: Of `watermark.latest_change`.
    """

    rows: pa.Table
    certificates: pa.Table
    refused: pa.Table
    conflicts: pa.Table
    firsts: FirstSpellings
    has_nameless: bool
    some_rejected: bool
    log: LogState | None
    costs: NormalisedCosts
    costs_digest: str | None
    watermark: str | None
    latest: str | None

    @classmethod
    def of(
        cls,
        read: Normalised,
        states: pa.Array,
        log: LogState | None,
        costs: NormalisedCosts,
        costs_digest: str | None,
        watermark: str | None,
        latest: str | None,
    ) -> Self:
        """What a reading of all rows gives.

        Args:
            read: The rows.
            states: Of each row in extraction order, a hash of what shows whether it has changed.
            log: How far the log was read.
            costs: The costs.
            costs_digest: Digest of their rows.
            watermark: The source's watermark.
            latest: Of `watermark.latest_change`.
        """
        context = read.context
        return cls(
            _rows(read, states),
            read.certificates,
            _refused(read),
            read.conflicts,
            context.firsts,
            context.has_nameless,
            context.some_rejected,
            log,
            costs,
            costs_digest,
            watermark,
            latest,
        )

    @property
    def for_changed(self) -> KnownRows:
        """What its rows say about those of them that are read again."""
        spellings = {
            column: {folded: first.spelling for folded, first in firsts.items()}
            for column, firsts in self.firsts.items()
        }
        return KnownRows(spellings, self.some_rejected)

    def of_identities(self, identities: Collection[str]) -> pa.Table:
        """Its rows of some identities."""
        return self.rows.filter(_is_in(self.rows["identity"], identities))

    def certificates_of(self, identities: Collection[str]) -> pa.Table:
        """Its accepted rows of some identities."""
        ids = self.of_identities(identities)["certificate_id"]
        return self.certificates.filter(pc.is_in(self.certificates["certificate_id"], ids, skip_nulls=True))

    def changed(self, identities: Collection[str], read: Normalised, states: pa.Array) -> "KnownSource":
        """The same source after all rows of some identities have been read again; its costs are as before.

        Args:
            identities: Those that changed, appeared or went.
            read: The rows that they have now.
            states: Hashes of these, in extraction order.

        Raises:
            NotLocal: If they bear on other rows.
        """
        if self.has_nameless or read.context.has_nameless:
            raise NotLocal("a name of which nothing remains takes the spelling of another")
        ids = self.of_identities(identities)["certificate_id"]
        certificates = _replaced(self.certificates, ids, read.certificates)
        return replace(
            self,
            rows=pa.concat_tables(
                [
                    self.rows.filter(pc.invert(_is_in(self.rows["identity"], identities))),
                    _rows(read, states),
                ]
            ),
            certificates=certificates,
            refused=_replaced(self.refused, ids, _refused(read)),
            conflicts=_replaced(self.conflicts, ids, read.conflicts),
            firsts={
                column: _merged(firsts, read.context.firsts[column], identities)
                for column, firsts in self.firsts.items()
            },
            some_rejected=self._some_rejected(certificates, read),
        )

    def differences(self, now: "KnownSource", most: int) -> list[Difference]:
        """Where certificates differ from what all rows give, though nothing shows that these have changed.

        The spelling of a name may follow from other rows, and is no difference.

        Args:
            now: What a reading of all rows gives.
            most: How many differences at most.
        """
        with computation() as connection:
            for name, known in (("then", self), ("now", now)):
                connection.register(f"{name}_rows", known.rows.drop_columns(["identity"]))
                connection.register(f"{name}_certificates", known.certificates)
            differing = connection.execute(
                """
                SELECT certificate_id, before, after FROM (
                    SELECT certificate_id, then_certificates AS before, now_certificates AS after
                    FROM (SELECT * FROM then_rows SEMI JOIN now_rows
                        USING (state, certificate_id, log_changes))
                    LEFT JOIN then_certificates USING (certificate_id)
                    LEFT JOIN now_certificates USING (certificate_id)
                ) WHERE before IS DISTINCT FROM after ORDER BY certificate_id LIMIT ?
                """,
                [most],
            ).fetchall()
        return [
            Difference(certificate, column, (before or {}).get(column), (after or {}).get(column))
            for certificate, before, after in differing
            for column in sorted((before or {}).keys() | (after or {}).keys())
            if not _is_alike((before or {}).get(column), (after or {}).get(column))
            and (column != "rejection_count" or self.some_rejected == now.some_rejected)
        ]

    def _some_rejected(self, certificates: pa.Table, read: Normalised) -> bool:
        """Whether a row is rejected; where that is another answer than before, all counts differ."""
        if self.some_rejected and pc.any(pc.equal(certificates["state"], State.REJECTED.value)).as_py():
            return True
        if not self.some_rejected and not read.context.some_rejected:
            return False
        raise NotLocal("the first rejection appears, or the last one goes")

    def reports(self) -> tuple[RowReport, dict[str, int]]:
        """What is accepted and refused of its certificates; and the refused ones by reason."""
        with computation() as connection:
            connection.register("accepted", self.certificates.select(["currency", "amount_proposed"]))
            connection.register("refused", self.refused)
            connection.execute(
                "CREATE TEMP VIEW validated AS SELECT currency, amount_proposed AS amount, "
                "NULL::VARCHAR[] AS reasons, false AS is_superseded FROM accepted "
                "UNION ALL SELECT currency, amount, reasons, is_superseded FROM refused"
            )
            return validation.row_report(connection, "amount"), validation.reason_counts(connection)


def _is_alike(before: Any, now: Any) -> bool:
    if isinstance(before, str) and isinstance(now, str):
        return fold(before) == fold(now)
    return bool(before == now)


def _rows(read: Normalised, states: pa.Array) -> pa.Table:
    return read.context.rows.add_column(0, "state", states).cast(ROWS_SCHEMA)


def _refused(read: Normalised) -> pa.Table:
    columns = [*read.quarantine.columns, *read.context.refused.columns]
    return pa.Table.from_arrays(columns, names=REFUSED_SCHEMA.names).cast(REFUSED_SCHEMA)


def _replaced(table: pa.Table, ids: pa.ChunkedArray, now: pa.Table) -> pa.Table:
    """A table without the rows of some certificates, and with those that they have now."""
    gone = pc.is_in(table["certificate_id"], ids, skip_nulls=True)
    batches = []
    # Only batches that lose a row are copied.
    for batch, mask in zip(table.to_batches(), _chunked_alike(gone, table), strict=True):
        batches.append(batch.filter(pc.invert(mask)) if pc.any(mask).as_py() else batch)
    return pa.concat_tables([pa.Table.from_batches(batches, table.schema), now])


def _chunked_alike(mask: pa.ChunkedArray, table: pa.Table) -> Iterator[pa.Array]:
    """A mask of a table's rows, in the batches of the table."""
    begin = 0
    for batch in table.to_batches():
        yield mask.slice(begin, batch.num_rows).combine_chunks()
        begin += batch.num_rows


def _is_in(column: pa.ChunkedArray, values: Collection[str]) -> pa.ChunkedArray:
    return pc.is_in(column, pa.array(list(values), pa.string()))


def _merged(
    known: Mapping[str, FirstSpelling], now: Mapping[str, FirstSpelling], identities: Collection[str]
) -> dict[str, FirstSpelling]:
    """By which row each name is spelled, after the rows of some identities have been read again.

    Raises:
        NotLocal: If another row may decide, and spells it otherwise.
    """
    merged = dict(known)
    for folded, first in now.items():
        before = known.get(folded)
        if before is None or first.order <= before.order:
            spelling = first.spelling if before is None else before.spelling
            natural = UNASSIGNED if folded == fold(UNASSIGNED) else natural_spelling(first.written)
            if before is not None and natural != spelling:
                raise NotLocal(f"another row decides how {spelling} is spelled")
            merged[folded] = replace(first, spelling=spelling)
    for folded, before in known.items():
        has_gone = before.key in identities and merged[folded].order >= before.order
        if has_gone and (folded not in now or now[folded].order != before.order):
            raise NotLocal(f"the row that decides how {before.spelling} is spelled has changed")
    return merged
