"""The demo looks like a firm's real year: same seed same content, and the quarantine has its share."""

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kpi_pipeline.compute.ingest.certificates import normalise
from kpi_pipeline.compute.ingest.costs import normalise_costs
from kpi_pipeline.demo import database
from kpi_pipeline.demo.database import DemoSummary, write_demo
from kpi_pipeline.model.states import Event
from kpi_pipeline.sources.extract import extract
from kpi_pipeline.sources.mapping_files import load_mapping

pytestmark = pytest.mark.slow

TODAY = date(2024, 2, 29)
TABLES = ("projects", "edp", "edp_log", "cost_header", "cost_lines", "caja")
ROWS = 6000


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, DemoSummary]:
    path = tmp_path_factory.mktemp("demo") / "new" / "demo.db"
    return path, write_demo(path, ROWS, 7, TODAY, None)


def submit(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


def content(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    return {table: submit(path, f"SELECT * FROM {table} ORDER BY rowid") for table in TABLES}


def test_seed_rows_and_day_give_the_content(tmp_path: Path, demo: tuple[Path, DemoSummary]) -> None:
    again = write_demo(tmp_path / "again.db", ROWS, 7, TODAY, None)
    assert again == demo[1]
    assert content(tmp_path / "again.db") == content(demo[0])
    write_demo(tmp_path / "other.db", ROWS, 8, TODAY, None)
    assert submit(tmp_path / "other.db", "SELECT * FROM edp") != submit(demo[0], "SELECT * FROM edp")


def test_the_content_does_not_depend_on_the_blocks_in_which_it_is_written(
    tmp_path: Path, demo: tuple[Path, DemoSummary], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BLOCK", 1733)
    assert write_demo(tmp_path / "again.db", ROWS, 7, TODAY, None) == demo[1]
    assert content(tmp_path / "again.db") == content(demo[0])


def test_every_row_is_a_certificate_but_the_invalid_ones(demo: tuple[Path, DemoSummary]) -> None:
    path, summary = demo
    mapping = load_mapping("edp")
    source = extract(f"sqlite:///{path}", mapping)
    result = normalise(source.raw, mapping, source.log)
    assert source.raw.num_rows == summary.rows == ROWS
    assert result.quarantine.num_rows == summary.invalid_rows == 18
    assert result.reason_counts == {
        "bad_amount:amount_approved": 6,
        "bad_date:issued_on": 6,
        "missing:client": 6,
    }
    certificates = result.certificates.to_pylist()
    paid = [row for row in certificates if row["state"] == "pagado"]
    assert all(row["paid_on"] >= row["conformity_on"] >= row["sent_on"] > row["issued_on"] for row in paid)
    assert all(row["paid_on"] is None for row in certificates if row["state"] != "pagado")
    assert {row["state"] for row in certificates} == {
        "revision", "enviado", "pendiente", "validado", "pagado", "rechazado", "anulado"
    }  # fmt: skip
    assert {row["currency"] for row in certificates} == {"CLP"}
    assert all(0 <= row["amount_approved"] <= row["amount_proposed"] for row in certificates)
    happened = [{event["event"] for event in row["history"] or ()} for row in certificates]
    assert any(Event.REWORK in events for events in happened)
    # What is given up was rejected before.
    refused = {"rechazado", "anulado"}
    assert all(
        (Event.REJECTED in events) == (row["state"] in refused)
        for row, events in zip(certificates, happened, strict=True)
    )
    assert "sin asignar" not in {row["project_type"] for row in certificates}


def test_every_header_is_a_cost_but_the_invalid_ones(demo: tuple[Path, DemoSummary]) -> None:
    path, summary = demo
    mapping = load_mapping("edp")
    source = extract(f"sqlite:///{path}", mapping)
    assert source.costs is not None
    certificates = normalise(source.raw, mapping, source.log).certificates
    result = normalise_costs(source.costs.headers, source.costs.lines, mapping, certificates)
    assert source.costs.headers.num_rows == summary.cost_rows
    assert result.quarantine.num_rows == summary.invalid_costs == 2
    assert result.reason_counts == {"missing:invoiced_on": 1, "unknown_kind:kind": 1}
    assert result.undetailed == 0
    costs = result.costs
    assert len(set(costs["cost_id"].to_pylist())) == summary.cost_rows - summary.invalid_costs
    for name in ("client", "project", "project_manager", "administrator", "project_type"):
        assert set(costs[name].to_pylist()) <= set(certificates[name].to_pylist())


def test_types_are_those_of_users_databases(demo: tuple[Path, DemoSummary]) -> None:
    types = submit(
        demo[0],
        """
        SELECT DISTINCT typeof(n_edp), typeof(proyecto), typeof(mes), typeof(fecha_emision),
            typeof(updated_at), typeof(conformidad_enviada), typeof(monto_propuesto) FROM edp
        """,
    )
    assert types == [("integer", "text", "text", "text", "text", "integer", "integer")]
    assert submit(demo[0], "SELECT DISTINCT conformidad_enviada FROM edp ORDER BY 1") == [(0,), (1,)]
    assert submit(demo[0], "SELECT length(fecha_hora), count(DISTINCT campo) FROM edp_log GROUP BY 1") == [
        (19, 2)
    ]


def test_no_moment_is_yet_to_come_on_the_day_on_which_the_demo_is_made(
    demo: tuple[Path, DemoSummary],
) -> None:
    first_minute = f"{TODAY.isoformat()} 00:01:00"
    for table, column in (("edp", "created_at"), ("edp", "updated_at"), ("edp_log", "fecha_hora")):
        ((latest,),) = submit(demo[0], f"SELECT max(replace({column}, 'T', ' ')) FROM {table}")
        assert f"{TODAY.isoformat()} 00:00:00" < latest < first_minute, (table, column)
    # What happened in an order on the last day is still in that order.
    ((unordered,),) = submit(
        demo[0],
        "SELECT count(*) FROM edp_log a JOIN edp_log b ON a.proyecto = b.proyecto AND a.n_edp = b.n_edp "
        "WHERE a.rowid < b.rowid AND a.fecha_hora > b.fecha_hora",
    )
    assert unordered == 0


def test_nothing_but_expectations_is_dated_after_today(demo: tuple[Path, DemoSummary]) -> None:
    day = TODAY.isoformat()
    for table, columns in {
        "edp": "fecha_emision fecha_envio_cliente fecha_conformidad fecha_registro created_at updated_at",
        "edp_log": "fecha_hora",
        "cost_header": "fecha_factura fecha_recepcion fecha_pago",
        "caja": "fecha",
    }.items():
        for column in columns.split():
            (latest,) = submit(
                demo[0], f"SELECT max(substr({column}, 1, 10)) FROM {table} WHERE {column} NOT LIKE '%-02-30'"
            )
            assert latest[0] <= day, (table, column)
    assert submit(demo[0], f"SELECT count(*) > 0 FROM edp WHERE fecha_emision = '{day}'") == [(1,)]


def test_the_shape_of_the_business(demo: tuple[Path, DemoSummary]) -> None:
    path, summary = demo
    assert (summary.first_month, summary.last_month) == ("2021-03", "2024-02")
    months = dict(submit(path, "SELECT mes, count(*) FROM edp GROUP BY mes"))
    assert len(months) == 36
    assert months["2023-12"] > 1.3 * months["2023-02"], "the season"
    first, last = (
        sum(count for month, count in months.items() if month.startswith(year)) for year in ("2022", "2023")
    )
    assert last > 1.1 * first, "growth"
    ((inside,),) = submit(path, "SELECT avg(monto_propuesto BETWEEN 5e6 AND 5e7) FROM edp")
    assert inside > 0.85
    waits = submit(
        path,
        """
        SELECT avg(julianday(fecha_hora) - julianday(fecha_conformidad)) FROM edp
        JOIN edp_log USING (proyecto, n_edp)
        WHERE campo = 'estado' AND despues = 'pagado' AND cliente <> ''
        GROUP BY cliente HAVING count(*) > 30 ORDER BY 1
        """,
    )
    assert waits[0][0] < 36 < 50 < waits[-1][0], "some clients pay late"
    ((open_share,),) = submit(
        path, "SELECT avg(estado NOT IN ('pagado', 'rechazado')) FROM edp WHERE mes = '2024-02'"
    )
    assert open_share > 0.5
    assert {"aprobado", "cobrado", "revisión"} <= {
        word for (word,) in submit(path, "SELECT DISTINCT estado FROM edp")
    }
    for person in ("jefe_proyecto", "gestor", "cliente"):
        assert submit(
            path, f"SELECT max(n) FROM (SELECT count(DISTINCT {person}) n FROM projects GROUP BY proyecto)"
        ) == [(1,)]


def test_projects_earn_what_engineering_firms_earn(demo: tuple[Path, DemoSummary]) -> None:
    margins = submit(
        demo[0],
        """
        WITH revenue AS (
            SELECT proyecto, sum(monto_propuesto) AS billed FROM edp
            WHERE lower(trim(estado)) NOT IN ('rechazado', 'devuelto', 'anulado', 'nulo', 'anulada')
            GROUP BY proyecto
        ), cost AS (
            SELECT proyecto, sum(importe_neto) AS spent FROM cost_header
            JOIN projects USING (project_id) GROUP BY proyecto
        )
        SELECT 1 - 1.0 * spent / billed FROM revenue JOIN cost USING (proyecto)
        """,
    )
    assert len(margins) > 40
    assert all(0.09 < margin < 0.31 for (margin,) in margins)
    assert submit(
        demo[0],
        """
        SELECT count(*) FROM cost_header
        JOIN (SELECT cost_id, sum(subtotal) AS total FROM cost_lines GROUP BY cost_id)
        USING (cost_id) WHERE importe_neto <> total
        """,
    ) == [(0,)]
    clean = "tipo_costo <> 'por clasificar'"
    kinds = set(submit(demo[0], f"SELECT DISTINCT tipo_costo, estado_costo FROM cost_header WHERE {clean}"))
    assert kinds == {(kind, state) for kind in ("opex", "capex") for state in ("pagado", "pendiente")}
    assert submit(demo[0], "SELECT min(saldo) > 0, sum(ingreso) > sum(egreso) FROM caja") == [(1, 1)]


def test_the_log_ends_where_the_certificate_is(demo: tuple[Path, DemoSummary]) -> None:
    """The last change of state in the log is into the state of the row, or a synonym of it."""
    mapping = load_mapping("edp")
    rows = submit(
        demo[0],
        """
        SELECT estado, despues FROM edp JOIN (
            SELECT proyecto, n_edp, despues, max(fecha_hora) FROM edp_log
            WHERE campo = 'estado' GROUP BY proyecto, n_edp
        ) USING (proyecto, n_edp)
        """,
    )
    words = {word.strip().lower() for row in rows for word in row}
    state_of = {word: mapping.state_spellings.get(word) for word in words}
    assert None not in state_of.values()
    assert all(state_of[now.strip().lower()] is state_of[last] for now, last in rows)


@pytest.mark.parametrize("rows", [1, 2, 37])
@pytest.mark.parametrize("today", [date(2024, 1, 1), date(2024, 2, 29)])
def test_few_rows_will_do(tmp_path: Path, rows: int, today: date) -> None:
    summary = write_demo(tmp_path / "demo.db", rows, 0, today, None)
    assert submit(tmp_path / "demo.db", "SELECT count(*) FROM edp") == [(rows,)]
    assert summary.clients >= 3


def test_clients_and_projects_grow_slowly(tmp_path: Path, demo: tuple[Path, DemoSummary]) -> None:
    small = write_demo(tmp_path / "small.db", 600, 7, TODAY, None)
    assert 1 < demo[1].clients / small.clients < 3
    assert 1 < demo[1].projects / small.projects < 4


def test_progress_is_reported(tmp_path: Path) -> None:
    reported: list[tuple[str, int, int]] = []
    write_demo(tmp_path / "demo.db", 50, 0, TODAY, lambda *step: reported.append(step))
    assert [step for step, done, total in reported if done == total] == [*TABLES, "indexes"]
    assert all(0 <= done <= total for _, done, total in reported)


def test_a_cut_run_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "demo.db"
    write_demo(path, 10, 0, TODAY, None)
    before = path.read_bytes()

    def cut(step: str, _done: int, _total: int) -> None:
        if step == "cost_lines":
            assert len(list(tmp_path.iterdir())) == 2, "written beside its place, for a rename to be at once"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_demo(path, 500, 1, TODAY, cut)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["demo.db"]
    write_demo(path, 20, 1, TODAY, None)
    assert submit(path, "SELECT count(*) FROM edp") == [(20,)]


def test_senseless_sizes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one row"):
        write_demo(tmp_path / "demo.db", 0, 0, TODAY, None)
    with pytest.raises(ValueError, match="seed"):
        write_demo(tmp_path / "demo.db", 1, -1, TODAY, None)
    assert not (tmp_path / "demo.db").exists()
