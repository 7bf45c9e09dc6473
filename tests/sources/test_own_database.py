"""A database of a user's own needs only a mapping file; so do the shipped ones."""

import sqlite3
from collections import Counter
from contextlib import closing
from datetime import date
from pathlib import Path

import pandas as pd
import psycopg

from kpi_pipeline.compute.ingest.certificates import normalise
from kpi_pipeline.compute.ingest.costs import normalise_costs
from kpi_pipeline.model.costs import NO_DETAIL
from kpi_pipeline.model.labels import UNASSIGNED
from kpi_pipeline.sources.extract import extract
from kpi_pipeline.sources.mapping_files import load_mapping

ENGLISH = """
name = "claims"
description = "Progress claims of a contractor."
[source]
table = "claims"
[columns]
certificate_id = ["contract", "claim_no"]
project = "contract"
client = "employer"
project_manager = "pm"
state = "status"
issued_on = "prepared"
sent_on = "submitted"
conformity_on = "certified"
currency = "ccy"
amount_proposed = "claimed"
amount_approved = "certified_amount"
updated_at = "modified"
[dates]
formats = ["%d %b %Y"]
[states]
revision = ["draft"]
enviado = ["submitted"]
validado = ["certified"]
pagado = ["paid"]
rechazado = ["returned"]
[log]
table = "history"
key = ["contract", "claim_no"]
at = "at"
field = "field"
to = "new"
state_field = "status"
detail_field = "note"
rework = ["resubmit"]
"""


def test_an_english_database(tmp_path: Path) -> None:
    database = tmp_path / "claims.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(
            """
            CREATE TABLE claims (contract TEXT, claim_no INTEGER, employer TEXT, pm TEXT, status TEXT,
                prepared TEXT, submitted TEXT, certified TEXT, ccy TEXT, claimed REAL, certified_amount REAL,
                modified TEXT);
            INSERT INTO claims VALUES
                ('C1', 1, 'Rail Co', 'Ann', 'Paid', '01 Mar 2024', '2024-03-04', '2024-03-20', 'GBP',
                 1000.10, 999.995, '2024-05-01 08:00:00'),
                ('C1', 2, 'rail co', NULL, 'Draft', '02 Apr 2024', NULL, NULL, 'GBP', 5, NULL, '2024-04-02'),
                ('C2', 1, '', 'Ann', 'lost', '31 Feb 2024', NULL, NULL, 'GBP', 'tbc', NULL, '2024-04-02');
            CREATE TABLE history (contract TEXT, claim_no INTEGER, at TEXT, field TEXT, new TEXT);
            INSERT INTO history VALUES ('C1', 1, '2024-03-10', 'note', 'Resubmit'),
                ('C1', 1, '2024-04-30', 'Status', 'PAID');
            """
        )
    path = tmp_path / "claims.toml"
    path.write_text(ENGLISH, encoding="utf-8")

    mapping = load_mapping(str(path))
    source = extract(f"sqlite:///{database}", mapping)
    result = normalise(source.raw, mapping, source.log)

    assert source.watermark == "2024-05-01T08:00:00"
    first, second = result.certificates.to_pylist()
    assert first["certificate_id"] == "C1/1"
    assert (first["state"], first["paid_on"]) == ("pagado", date(2024, 4, 30))
    assert first["rework_count"] == 0  # its rework has a day
    # Its payment is an event of the row and of the log.
    assert list(dict.fromkeys((event["day"], event["event"]) for event in first["history"])) == [
        (date(2024, 3, 4), "sent"),
        (date(2024, 3, 10), "rework"),
        (date(2024, 3, 20), "accepted"),
        (date(2024, 4, 30), "paid"),
    ]
    assert second["history"] is None
    assert (first["amount_proposed"], first["amount_approved"], first["currency"]) == (100010, 100000, "GBP")
    assert (first["issued_on"], first["month"]) == (date(2024, 3, 1), date(2024, 3, 1))
    assert (second["state"], second["client"], second["project_manager"]) == (
        "revision",
        "Rail Co",
        UNASSIGNED,
    )
    assert result.reason_counts == {
        "bad_amount:amount_proposed": 1,
        "bad_date:issued_on": 1,
        "missing:client": 1,
        "unknown_state:state": 1,
    }


def test_edp_costs_in_postgresql(postgres: tuple[str, psycopg.Connection]) -> None:
    """A header whose project is entered twice, or is none, is one cost."""
    url, connection = postgres
    mapping = load_mapping("edp")
    text_columns = ", ".join(f"{name} text" for name in mapping.source_columns if name != "industria_cliente")
    connection.execute(f"CREATE TABLE edp ({text_columns})")
    connection.execute(
        "CREATE TABLE edp_log (proyecto text, n_edp text, fecha_hora text, campo text, despues text)"
    )
    connection.execute(
        "CREATE TABLE projects (project_id int, proyecto text, cliente text, gestor text, "
        "jefe_proyecto text, industria_cliente text)"
    )
    connection.execute(
        "CREATE TABLE cost_header (cost_id serial, project_id int, proveedor text, fecha_factura date, "
        "fecha_vencimiento date, fecha_pago date, importe_neto numeric(14, 2), moneda text, tipo_costo text)"
    )
    connection.execute(
        "CREATE TABLE cost_lines (line_id serial, cost_id int, categoria text, subtotal numeric(14, 2))"
    )
    connection.execute("INSERT INTO projects VALUES (1, 'OT-1', 'Agua', 'Eva', 'Ana', 'minería')")
    connection.execute("INSERT INTO projects SELECT * FROM projects")
    connection.execute(
        "INSERT INTO cost_header (project_id, proveedor, fecha_factura, importe_neto, moneda, tipo_costo) "
        "VALUES (1, 'Roble', '2024-02-29', 10.5, 'USD', 'OPEX'), "
        "(NULL, NULL, '2024-03-01', -7, 'CLP', 'Inversión')"
    )
    connection.execute(
        "INSERT INTO cost_lines (cost_id, categoria, subtotal) VALUES (1, 'a', 8), (1, 'b', 2.5)"
    )

    source = extract(url, mapping)
    assert source.costs is not None
    certificates = normalise(source.raw, mapping, source.log).certificates
    result = normalise_costs(source.costs.headers, source.costs.lines, mapping, certificates)
    assert result.reason_counts == {}
    names = ("cost_id", "project", "client", "administrator", "currency", "amount", "kind", "category")
    assert [tuple(row.values()) for row in result.costs.select(names).to_pylist()] == [
        ("1", "OT-1", "Agua", "Eva", "USD", 800, "opex", "a"),
        ("1", "OT-1", "Agua", "Eva", "USD", 250, "opex", "b"),
        ("2", UNASSIGNED, UNASSIGNED, UNASSIGNED, "CLP", -7, "capex", NO_DETAIL),
    ]


def test_a_csv_with_decimal_commas(tmp_path: Path) -> None:
    (tmp_path / "facturas.csv").write_text(
        "número;deudor;emisión;vencimiento;importe;situación\n"
        "A-1;Peñalolén Ltda.;05.03.2024;04.04.2024;1.234.567,89;cobrada\n"
        "A-2;PEÑALOLEN LTDA.;06.03.2024;;-12,5;abierta\n"
        "A-3;Otro;07.03.2024;;1,234.50;abierta\n",
        encoding="latin-1",
    )
    (tmp_path / "facturas.toml").write_text(
        """
        name = "facturas"
        source = { delimiter = ";", encoding = "latin-1" }
        defaults = { currency = "EUR" }
        dates = { formats = ["%d.%m.%Y"] }
        amounts = { decimal = ",", thousands = "." }
        states = { pagado = ["cobrada"], enviado = ["abierta"] }
        [columns]
        certificate_id = "número"
        client = "deudor"
        issued_on = "emisión"
        sent_on = "emisión"
        expected_payment_on = "vencimiento"
        amount_proposed = "importe"
        state = "situación"
        """,
        encoding="utf-8",
    )
    mapping = load_mapping(str(tmp_path / "facturas.toml"))
    source = extract(str(tmp_path / "facturas.csv"), mapping)
    result = normalise(source.raw, mapping, source.log)

    first, second = result.certificates.to_pylist()
    assert (first["amount_proposed"], second["amount_proposed"]) == (123456789, -1250)
    assert first["client"] == second["client"] == "Peñalolén Ltda."
    assert (first["state"], second["state"]) == ("pagado", "enviado")
    assert (first["sent_on"], first["expected_payment_on"]) == (date(2024, 3, 5), date(2024, 4, 4))
    assert result.reason_counts == {"bad_amount:amount_proposed": 1}


def test_the_real_receivables_become_certificates_one_for_one(receivables_csv: Path) -> None:
    mapping = load_mapping("ibm_receivables")
    source = extract(str(receivables_csv), mapping)
    result = normalise(source.raw, mapping, source.log)
    assert result.reason_counts == {}

    frame = pd.read_csv(receivables_csv, dtype=str)
    got = pd.DataFrame(result.certificates.to_pydict())
    assert got["certificate_id"].tolist() == frame["invoiceNumber"].tolist()
    assert got["client"].tolist() == frame["customerID"].tolist()
    assert got["project_type"].tolist() == frame["countryCode"].tolist()
    for ours, theirs in (
        ("issued_on", "InvoiceDate"),
        ("sent_on", "InvoiceDate"),
        ("expected_payment_on", "DueDate"),
        ("paid_on", "SettledDate"),
    ):
        assert got[ours].tolist() == pd.to_datetime(frame[theirs], format="%m/%d/%Y").dt.date.tolist()
    cents = [
        int(whole) * 100 + int((part + "00")[:2])
        for whole, _, part in frame["InvoiceAmount"].str.partition(".").to_numpy()
    ]
    assert got["amount_proposed"].tolist() == got["amount_approved"].tolist() == cents
    assert set(got["currency"]) == {"USD"}
    assert set(got["state"]) == {"pagado"}
    assert got["conformity_on"].isna().all()
    assert Counter(month.day for month in got["month"]) == {1: 2466}
