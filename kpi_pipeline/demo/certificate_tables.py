"""The rows of the demo's certificates and of their change log, as users' databases hold them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from kpi_pipeline.demo.certificates import (
    ACCEPTED,
    ANSWERED,
    CANCELLED,
    DETAILS,
    INTERNAL,
    NEVER,
    PAID,
    PENDING,
    REJECTED,
    REVISION,
    REWORK,
    SENT,
    STATES,
    VALIDATED,
    WITH_CLIENT,
    Certificates,
    Flags,
)
from kpi_pipeline.demo.firm import Days, Firm, Ints

# Spellings of each state: the current one first, older ones after it.
_STATE_SPELLINGS: Final = (
    ("revisión", "revision", "Revisión"),
    ("enviado", "Enviado", "ENVIADO"),
    ("pendiente", "Pendiente", "pendiente"),
    ("validado", "aprobado", "facturado"),
    ("pagado", "cobrado", "facturado y cobrado", "cerrado", "PAGADO "),
    ("rechazado", "devuelto", "Rechazado"),
    ("anulado", "nulo", "Anulada"),
)
_EARLY_VARIANT_SHARE: Final = 0.2
_LATE_VARIANT_SHARE: Final = 0.06
_REJECTION_REASONS: Final = (
    "documentacion_incompleta", "inconsistencia_montos", "fuera_alcance", "requisitos_tecnicos",
    "falta_aprobacion", "error_formato", "incumplimiento_plazo", "objeciones_cliente",
    "cambio_requerimientos", "otros",
)  # fmt: skip
_FAILURE_KINDS: Final = (
    "error_proceso_interno", "error_planificacion", "falla_control_calidad", "error_comunicacion",
    "coord_cliente", "coord_interna", "error_tecnico", "error_requisitos", "retraso_documental", "otros",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What is random in table `edp` beside the certificates themselves, in the fewest bytes.

    Attributes:
        motive: Why it was returned, an index of `_REJECTION_REASONS`.
        failure: The kind of failure, an index of `_FAILURE_KINDS`.
        spelling: Which spelling of its state is written.
        remark: Whether it has one.
        created: Hour of creation.
        updated: Second of the day of the last change.
    """

    motive: npt.NDArray[np.int8]
    failure: npt.NDArray[np.int8]
    spelling: npt.NDArray[np.int8]
    remark: Flags
    created: npt.NDArray[np.int8]
    updated: npt.NDArray[np.int32]

    @classmethod
    def of(cls, rng: np.random.Generator, certificates: Certificates) -> "_Drawn":
        """Draw for each certificate."""
        count = len(certificates.project)
        motive = rng.integers(0, len(_REJECTION_REASONS), count).astype(np.int8)
        failure = (motive + rng.integers(0, 3, count).astype(np.int8)) % len(_FAILURE_KINDS)
        # More spellings in the first half of the history.
        issued = certificates.issued
        early = issued < issued.min() + (issued.max() - issued.min()) // 2
        varied = rng.random(count) < np.where(early, _EARLY_VARIANT_SHARE, _LATE_VARIANT_SHARE)
        spelling = np.where(varied, rng.integers(0, 60, count).astype(np.int8), np.int8(-1))
        return cls(
            motive,
            failure,
            spelling,
            remark=rng.random(count) <= 0.03,
            created=rng.integers(9, 13, count).astype(np.int8),
            updated=rng.integers(13 * 3600, 19 * 3600, count).astype(np.int32),
        )


def certificate_tables(
    rng: np.random.Generator, firm: Firm, certificates: Certificates, today: date, block: int
) -> Iterator[pa.Table]:
    """Table `edp` in blocks of rows: dates are ISO text, booleans 0 or 1, as in users' databases."""
    drawn, conformities = _Drawn.of(rng, certificates), 0
    for start in range(0, len(certificates.project), block):
        rows = slice(start, start + block)
        table = _certificate_table(firm, certificates.part(rows), drawn, rows, conformities, today)
        conformities += len(table) - table["n_conformidad"].null_count
        yield table


def _certificate_table(
    firm: Firm, certificates: Certificates, drawn: _Drawn, rows: slice, conformities: int, today: date
) -> pa.Table:
    count = len(certificates.project)
    client, state = firm.client_of[certificates.project], certificates.state
    was_sent, was_answered = ~np.isnat(certificates.sent), ~np.isnat(certificates.answered)
    accepted = was_answered & ~certificates.rejected
    returned = ~np.isnat(certificates.reworked) | (was_answered & certificates.rejected)
    first = (certificates.issued, certificates.sent, certificates.reworked, certificates.resent)
    later = (certificates.pending, certificates.answered, certificates.paid, certificates.cancelled)
    last = np.fmax.reduce([*first, *later])
    detail = np.full(count, INTERNAL)
    detail[was_sent] = WITH_CLIENT
    detail[~np.isnat(certificates.reworked)] = REWORK
    detail[~np.isnat(certificates.resent)] = WITH_CLIENT
    detail[was_answered] = ANSWERED
    detail[accepted] = ACCEPTED
    people = firm.administrators
    person = firm.administrator_of[certificates.project]
    numbers = pa.array(conformities + np.cumsum(accepted), mask=~accepted).cast(pa.string())
    remark = np.zeros(count, np.int64)
    return pa.table(
        {
            "n_edp": certificates.number,
            "proyecto": _encoded(firm.projects, certificates.project),
            "cliente": _encoded(firm.clients, client),
            "gestor": _encoded(people, person),
            "jefe_proyecto": _encoded(firm.managers, firm.manager_of[certificates.project]),
            "mes": _month_text(certificates.month),
            "fecha_emision": _day_text(certificates.issued),
            "fecha_envio_cliente": _day_text(certificates.sent),
            "fecha_estimada_pago": _day_text(certificates.expected),
            "conformidad_enviada": accepted.astype(np.int64),
            "n_conformidad": pc.binary_join_element_wise("CF-", pc.utf8_lpad(numbers, 7, "0"), ""),
            "fecha_conformidad": _day_text(np.where(accepted, certificates.answered, NEVER)),
            "monto_propuesto": certificates.proposed,
            "monto_aprobado": pa.array(certificates.approved, mask=~accepted),
            "estado": _written_states(drawn.spelling[rows], state),
            "estado_detallado": _encoded(DETAILS, detail),
            "motivo_no_aprobado": _encoded(_REJECTION_REASONS, drawn.motive[rows], ~returned),
            "tipo_falla": _encoded(_FAILURE_KINDS, drawn.failure[rows], ~returned),
            "observaciones": _encoded(["pendiente de respaldo"], remark, ~drawn.remark[rows]),
            "registrado_por": _encoded(people, person),
            "fecha_registro": _day_text(certificates.issued),
            "created_at": _moment_text(
                certificates.issued, drawn.created[rows].astype(np.int64) * 3600, today
            ),
            "updated_at": _moment_text(last, drawn.updated[rows].astype(np.int64), today),
        }
    )


def log_rows(certificates: Certificates) -> int:
    """How many rows table `edp_log` has."""
    changes = _changes(certificates)
    return sum(int(np.count_nonzero(~np.isnat(change[0]))) for change in changes)


def log_tables(
    rng: np.random.Generator, firm: Firm, certificates: Certificates, today: date, block: int
) -> Iterator[pa.Table]:
    """Table `edp_log` in blocks of certificates: one row per changed field, up to ten per certificate, in
    chronological order.
    """
    for start in range(0, len(certificates.project), block):
        yield _log_table(rng, firm, certificates.part(slice(start, start + block)), today)


_Change = tuple[Days, int, Ints | int, int]
"""Day, field (0 state, 1 detailed state), value before, value after."""


def _changes(days: Certificates) -> tuple[_Change, ...]:
    """What may have changed of each certificate, in chronological order."""
    accepted = np.where(days.rejected, NEVER, days.answered)
    rejected = np.where(days.rejected, days.answered, NEVER)
    before = np.where(np.isnat(days.pending), SENT, PENDING)
    offset = len(STATES)
    return (
        (days.sent, 0, REVISION, SENT),
        (days.sent, 1, offset + INTERNAL, offset + WITH_CLIENT),
        (days.pending, 0, SENT, PENDING),
        (days.reworked, 1, offset + WITH_CLIENT, offset + REWORK),
        (days.resent, 1, offset + REWORK, offset + WITH_CLIENT),
        (accepted, 0, before, VALIDATED),
        (accepted, 1, offset + WITH_CLIENT, offset + ACCEPTED),
        (rejected, 0, before, REJECTED),
        (days.paid, 0, VALIDATED, PAID),
        (days.cancelled, 0, REJECTED, CANCELLED),
    )


def _log_table(rng: np.random.Generator, firm: Firm, certificates: Certificates, today: date) -> pa.Table:
    shape, changes = certificates.project.shape, _changes(certificates)
    labels = (*STATES, *DETAILS)
    day = np.stack([change[0] for change in changes], axis=1)
    happened = np.flatnonzero(~np.isnat(day).ravel())
    certificate, slot = np.divmod(happened, len(changes))
    old = np.stack([np.broadcast_to(change[2], shape) for change in changes], axis=1)
    field, new = np.array([change[1] for change in changes]), np.array([change[3] for change in changes])
    project = certificates.project[certificate]
    # One time of day per certificate and change, later for later changes.
    clock = 9 * 3600 + slot * 3600 + rng.integers(0, 3600, len(slot))
    return pa.table(
        {
            "fecha_hora": _moment_text(day.ravel()[happened], clock, today),
            "n_edp": certificates.number[certificate],
            "proyecto": _encoded(firm.projects, project),
            "campo": _encoded(["estado", "estado_detallado"], field[slot]),
            "antes": _encoded(labels, old.ravel()[happened]),
            "despues": _encoded(labels, new[slot]),
            "usuario": _encoded(firm.administrators, firm.administrator_of[project]),
        }
    )


def _written_states(spelling: npt.NDArray[np.int8], state: Ints) -> pa.Array:
    """States in varied spellings and cases; -1 is the current one."""
    starts = np.cumsum([0, *(len(spellings) for spellings in _STATE_SPELLINGS)])[:-1]
    counts = np.array([len(spellings) for spellings in _STATE_SPELLINGS])
    pick = np.where(spelling < 0, 0, spelling % counts[state])
    return _encoded([text for spellings in _STATE_SPELLINGS for text in spellings], starts[state] + pick)


def _encoded(labels: Any, index: npt.NDArray[Any], missing: Flags | None = None) -> pa.Array:
    """Labels by index, as a dictionary array: one copy of each label."""
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32), mask=missing), pa.array(labels))


def _day_text(days: Days) -> pa.Array:
    return pa.array(days.astype("datetime64[D]")).cast(pa.string())


def _month_text(months: Days) -> pa.Array:
    return pc.utf8_slice_codeunits(_day_text(months), 0, 7)


def _moment_text(days: Days, seconds: Ints, today: date) -> pa.Array:
    """Moments of days; those of the last day are in its first seconds, in the same order.

    Whenever on its last day a demo is made, no moment is yet to come.
    """
    is_last = days >= np.datetime64(today, "D")
    moments = days.astype("datetime64[s]") + np.where(is_last, seconds // 3600, seconds)
    return pa.array(moments).cast(pa.string())
