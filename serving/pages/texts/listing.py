"""Texts of the list of certificates."""

from typing import Final

from kpi_pipeline.model.labels import Text

TEXTS: Final[dict[str, Text]] = {
    "certificate_list": Text("Certificados", "Certificates"),
    "list_standing": Text("Situación", "Standing"),
    "list_number": Text("Certificado", "Certificate"),
    "list_columns": Text("Columnas", "Columns"),
    "list_columns_usual": Text("Las habituales", "The usual ones"),
    "list_columns_meaning": Text("Qué dice cada columna", "What each column says"),
    "list_search": Text("Buscar", "Search"),
    "list_search_hint": Text("Cliente, proyecto o número", "Client, project or number"),
    "list_searched": Text("Contiene", "Contains"),
    "list_of": Text("Certificados: {filter}", "Certificates: {filter}"),
    "list_totals": Text("Totales", "Totals"),
    "list_credit_notes": Text(
        "{count} {count:nota de crédito|notas de crédito} entre ellos",
        "{count} {count:credit note|credit notes} among them",
    ),
    "list_cancelled_note": Text(
        "Los totales no suman los certificados anulados.", "Totals leave canceled certificates out."
    ),
    "list_range": Text("{first} a {last} de {count}", "{first} to {last} of {count}"),
    "list_pages": Text("Páginas de la lista", "Pages of the list"),
    "list_first": Text("Primera", "First"),
    "list_previous": Text("Anterior", "Previous"),
    "list_next": Text("Siguiente", "Next"),
    "list_last": Text("Última", "Last"),
    "list_sort": Text("Ordenar por {column}", "Sort by {column}"),
    "list_sort_down": Text("Ordenar por {column}, de mayor a menor", "Sort by {column}, largest first"),
    "list_dates": Text("Fechas", "Dates"),
    "list_from": Text("Desde", "From"),
    "list_until": Text("Hasta", "Until"),
    "list_days": Text("{first} a {last}", "{first} to {last}"),
    "list_days_since": Text("desde el {day}", "since {day}"),
    "list_days_until": Text("hasta el {day}", "until {day}"),
    "list_work": Text("Lista de trabajo", "Work list"),
    "list_works": Text("Listas de trabajo", "Work lists"),
    "list_expected": Text("Se espera cobrar en", "Expected in"),
    "list_expected_in": Text("Esperado en {month}", "Expected in {month}"),
    "list_expected_note": Text(
        "De cada certificado por cobrar se espera en {month} su saldo por la probabilidad de que se pague "
        "entonces; la suma es lo pronosticado. Solo cuenta lo ya emitido.",
        "What is expected of a receivable certificate in {month} is its open amount by the chance that it is "
        "paid then; the forecast is the sum. It counts only what is already issued.",
    ),
    "next_days": Text("Próximos {days} días", "Next {days} days"),
    "within_next_days": Text("los próximos {days} días", "the next {days} days"),
    "list_due_assumed": Text("{day} (supuesto)", "{day} (assumed)"),
    "list_csv": Text("CSV", "CSV"),
    "list_workbook": Text("Excel", "Excel"),
    "list_nothing": Text("Ningún certificado cumple lo elegido.", "No certificate matches the choice."),
    "certificate_title": Text("Certificado {number} · {project}", "Certificate {number} · {project}"),
    "certificate_to_list": Text("Todos los certificados", "All certificates"),
    "certificate_facts": Text("Datos", "Details"),
    "certificate_milestones": Text("Hitos", "Milestones"),
    "certificate_gap": Text("{days} después", "{days} later"),
    "certificate_undated": Text(
        "Los hitos sin fecha no aparecen aquí.", "Milestones without a date are not shown here."
    ),
    "certificate_stages": Text("Días en cada etapa", "Days in each stage"),
    "certificate_stage": Text("Etapa", "Stage"),
    "certificate_days": Text("Este certificado", "This certificate"),
    "certificate_usual": Text("Lo habitual", "Usual"),
    "certificate_so_far": Text("{days} hasta hoy", "{days} so far"),
    "certificate_until_then": Text("{days} hasta ese día", "{days} until that day"),
    "certificate_usual_own": Text(
        "{days} (mediana de {count} {count:certificado|certificados} del cliente)",
        "{days} (median of {count} {count:certificate|certificates} of the client)",
    ),
    "certificate_usual_all": Text(
        "{days} (mediana de {count} {count:certificado|certificados} de todos los clientes)",
        "{days} (median of {count} {count:certificate|certificates} of all clients)",
    ),
    "certificate_usual_note": Text(
        "Etapas que terminaron en los últimos doce meses.", "Stages that were over in the last twelve months."
    ),
    "certificate_not_known": Text("sin datos", "no data"),
    "certificate_no_stages": Text(
        "Faltan fechas para medir sus etapas.", "Dates to measure its stages are missing."
    ),
    "certificate_outlook": Text("Pago esperado", "Expected payment"),
    "certificate_no_outlook": Text(
        "No hay suficientes pagos anteriores para estimar cuándo se pagará.",
        "There are too few earlier payments to estimate when it will be paid.",
    ),
    "certificate_likely": Text(
        "Lo más probable es que esté pagado a fines de {month}.",
        "It is more likely than not to be paid by the end of {month}.",
    ),
    "certificate_unlikely": Text(
        "Lo más probable es que siga impago a fines de {month}.",
        "It is more likely than not to be still unpaid at the end of {month}.",
    ),
    "certificate_nearly_certain": Text(
        "Con un 90% de probabilidad, a fines de {month}.",
        "With a probability of 90%, by the end of {month}.",
    ),
    "certificate_of_client": Text(
        "Según lo que {client} ha demorado en pagar certificados como este.",
        "From how long {client} has taken to pay certificates like this one.",
    ),
    "certificate_of_all": Text(
        "Según lo que se ha pagado de todas las cuentas por cobrar en los últimos meses.",
        "From what was paid of all receivables in recent months.",
    ),
    "certificate_expected": Text("Esperado en el periodo", "Expected in the period"),
    "certificate_chance": Text("Probabilidad de pago al término", "Probability of payment by its end"),
    "certificate_period": Text("Periodo", "Period"),
    "certificate_approved_assumed": Text("{amount} (supuesto)", "{amount} (assumed)"),
}
