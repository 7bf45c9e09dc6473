"""Texts of the page of a client or project."""

from typing import Final

from kpi_pipeline.model.labels import Text

TEXTS: Final[dict[str, Text]] = {
    "profile_title": Text("{dimension}: {value}", "{dimension}: {value}"),
    "profile_of": Text("Ficha de {value}", "Profile of {value}"),
    "profile_see": Text("ver su ficha", "see its profile"),
    "profile_links": Text("Páginas relacionadas", "Related pages"),
    "profile_figures": Text("Todas sus cifras", "All its figures"),
    "profile_certificates": Text("Todos sus certificados", "All its certificates"),
    "profile_habit": Text("Días de pago al cierre de cada mes", "Days to payment at each month end"),
    "profile_open": Text(
        "{count} {count:certificado|certificados} por cobrar",
        "{count} {count:receivable certificate|receivable certificates}",
    ),
    "profile_all": Text("Ver todos en la lista", "See all in the list"),
    "profile_receivables": Text("Cuentas por cobrar", "Receivables"),
    "profile_no_list": Text(
        "De este cierre de mes se guardan las cifras, no la lista de certificados.",
        "Of this month end the figures are kept, not the list of certificates.",
    ),
    "profile_nothing": Text("No hay cuentas por cobrar.", "There are no receivables."),
    "profile_oldest_is": Text("Partida abierta más antigua:", "Oldest open item:"),
    "profile_oldest": Text("{amount}, emitido hace {age}.", "{amount}, issued {age} ago."),
    "profile_oldest_overdue": Text(
        "{amount}, emitido hace {age}, con {late} de atraso.", "{amount}, issued {age} ago, {late} overdue."
    ),
    # The statement of account: it goes to the client.
    "account_statement": Text("Estado de cuenta", "Statement of account"),
    "account_statement_client": Text("Cliente", "Client"),
    "account_statement_as_of": Text("Al", "As of"),
    "account_statement_today": Text("{day} (hoy)", "{day} (today)"),
    "account_statement_reconstructed": Text(
        "{day} (reconstruido el {known_on})", "{day} (reconstructed on {known_on})"
    ),
    "account_statement_language": Text("Idioma", "Language"),
    "account_statement_reconstructed_note": Text(
        "Un cierre muestra lo que se sabía ese día. Uno reconstruido se obtiene de las fechas y del "
        "historial que los certificados tenían el día que se indica. Las correcciones posteriores no están "
        "incluidas.",
        "A month end shows what was known on that day. A reconstructed one comes from the dates and the log "
        "that certificates had on the day named. Later corrections are not included.",
    ),
    "account_statement_summary": Text("Resumen", "Summary"),
    "account_statement_items": Text("Certificados", "Certificates"),
    "account_statement_nothing": Text(
        "No hay saldos impagos a esta fecha.", "There is no unpaid balance on this date."
    ),
    "account_statement_yes": Text("Sí", "Yes"),
    "account_statement_no": Text("No", "No"),
    "account_statement_assumed_note": Text(
        "Supuesto: sin fecha de pago acordada, se cuenta el plazo de pago desde el envío o la conformidad.",
        "Assumed: without an agreed payment date, the payment term runs from sending or acceptance.",
    ),
}
