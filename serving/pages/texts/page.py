"""Texts of every page."""

from typing import Final

from kpi_pipeline.model.filter_parameters import FILTER_LABELS, FROM, PERIOD, TO
from kpi_pipeline.model.labels import Text

TEXTS: Final[dict[str, Text]] = {
    "product_name": Text("Estados de pago", "Payment certificates"),
    "pages": Text("Páginas", "Pages"),
    "skip_to_content": Text("Ir al contenido", "Skip to content"),
    "copy_link": Text("Copiar enlace", "Copy link"),
    "js_link_copied": Text("Enlace copiado", "Link copied"),
    "js_link": Text("Enlace a esta página", "Link to this page"),
    "js_link_not_copied": Text(
        "No se pudo copiar; el enlace queda seleccionado.",
        "The link could not be copied; it is selected.",
    ),
    "other_language": Text("English", "Español"),
    "to_wider": Text("Ver la página sin este filtro", "Show the page without this filter"),
    "api": Text("API HTTP", "HTTP API"),
    "to_wider_several": Text("Ver la página sin estos filtros", "Show the page without these filters"),
    "to_current": Text("Ver las cifras actuales", "Show the current figures"),
    "to_browser_language": Text(
        "Ver la página en el idioma del navegador", "Show the page in your browser's language"
    ),
    "to_other_file": Text("Descargar sin esta elección", "Download without this choice"),
    "to_dashboard": Text("Volver al panel", "Back to the dashboard"),
    # Figures of the past.
    "historic_notice": Text(
        "Estas son las cifras al cierre de mes del {day}, no las actuales.",
        "These are the figures as of the month end of {day}, not the current ones.",
    ),
    "to_present": Text("Ver las actuales", "See the current figures"),
    "month_end": Text("Fecha de las cifras", "Date of the figures"),
    "present": Text("Actuales", "Current"),
    "everything": Text("todos los certificados", "all certificates"),
    # The filter form.
    "filters": Text("Filtros", "Filters"),
    "all_values": Text("Todos", "All"),
    "apply": Text("Aplicar", "Apply"),
    "clear_all": Text("Quitar todos", "Clear all"),
    "active_filters": Text("Filtros activos", "Active filters"),
    "remove_filter": Text("Quitar el filtro {label}", "Remove the filter {label}"),
    "period": FILTER_LABELS[PERIOD],
    "month_from": FILTER_LABELS[FROM],
    "month_from_free": Text("Desde el inicio", "From the start"),
    "month_to": FILTER_LABELS[TO],
    "month_to_free": Text("Hasta hoy", "Up to today"),
    "no_certificates": Text("sin certificados", "no certificates"),
    # Sections.
    "key_figures": Text("Indicadores", "Key figures"),
    "window": Text(
        "«{count} {count:mes|meses}» va del {first} al {day}; los gráficos suman meses calendario.",
        "“{count} {count:month|months}” runs from {first} to {day}; charts sum calendar months.",
    ),
    "comparison_none": Text(
        "Sin cambios que mostrar: los datos no alcanzan la fecha de comparación.",
        "No changes to show: the data do not reach back to the day of comparison.",
    ),
    # Both values of a change, each with its day.
    "change_values": Text("{day}: {value} ← {earlier}, {before}", "{day}: {value} ← {earlier}, {before}"),
    # Likewise of a quarter, which stands beside earlier ones.
    "quarter_values": Text("{quarter}: {value} ← {earlier}", "{quarter}: {value} ← {earlier}"),
    "quarter_value": Text("{value}, {quarter}", "{value}, {quarter}"),
    "quarter_list": Text("; ", "; "),
    "change_from": Text("antes", "was"),
    "cohort_open": Text(
        "Meses de facturación: sus cifras todavía pueden cambiar; {count:queda|quedan} {count} "
        "{count:certificado abierto|certificados abiertos}.",
        "Billing months: their figures can still change; {count} {count:certificate is|certificates are} "
        "open.",
    ),
    "cohort_settled": Text(
        "Meses de facturación: todos sus certificados están cerrados.",
        "Billing months: all of their certificates are settled.",
    ),
    "cohort_none": Text(
        "Meses de facturación: no hay certificados con este filtro.",
        "Billing months: there are no certificates under this filter.",
    ),
    "charts_of_all_months": Text(
        "Los gráficos por mes muestran todos los meses: el periodo elegido no los limita.",
        "Charts by month show all months: the chosen period does not limit them.",
    ),
    "period_window": Text("{count} {count:mes|meses}", "{count} {count:month|months}"),
    "period_day": Text("al {day}", "as of {day}"),
    "period_cohort": Text("de los meses elegidos", "of the chosen months"),
    "way_up": Text("sube", "up"),
    "way_down": Text("baja", "down"),
    "way_level": Text("sin cambio", "no change"),
    "trend_improving": Text("mejora", "improving"),
    "trend_stable": Text("estable", "stable"),
    "trend_declining": Text("empeora", "worsening"),
    "points": Text("{points} puntos", "{points} points"),
    "target_met": Text("Meta {target}: cumplida", "Target {target}: met"),
    "target_missed": Text("Meta {target}: no cumplida", "Target {target}: not met"),
    "no_costs": Text("Sin costos con este filtro", "No costs under this filter"),
    "lacking_costs": Text(
        "Un costo no tiene estado, rango de monto ni días desde la emisión: con este filtro no hay cifras de "
        "costos.",
        "A cost has no state, amount band or days since issue: under this filter there are no cost figures.",
    ),
    "charts": Text("Gráficos", "Charts"),
    "tables": Text("Tablas", "Tables"),
    "see_data": Text("Ver los datos", "See the data"),
    # Units.
    "days_unit": Text("{days:día|días}", "{days:day|days}"),
    "no_data": Text("Sin datos", "No data"),
    "nothing_here": Text("Ningún certificado cumple este filtro.", "No certificate matches this filter."),
    "certificate_count": Text(
        "{count} {count:certificado|certificados}", "{count} {count:certificate|certificates}"
    ),
    # What is not receivable, below the cards: its amounts, in so many certificates.
    "beside_returned": Text("Devuelto por corregir: {what}", "Returned for correction: {what}"),
    "beside_unsent": Text("Sin enviar: {what}", "Not sent: {what}"),
    "amounts_in": Text(
        "{amounts} en {count} {count:certificado|certificados}",
        "{amounts} in {count} {count:certificate|certificates}",
    ),
    "definitions": Text("Qué mide cada indicador", "What each figure measures"),
    "about_figure": Text("Qué mide {label}", "What {label} measures"),
    "about_more": Text("Todas las definiciones", "All definitions"),
    "about_value": Text("{basis} = {value}", "{basis} = {value}"),
    "about_sum": Text("Suma de {basis}: {value}", "Sum of {basis}: {value}"),
    "about_listed": Text(
        "Suma de la columna «{column}» de los certificados «{standing}»{within}: {value}",
        "Sum of the column “{column}” of the certificates “{standing}”{within}: {value}",
    ),
    "about_counted": Text(
        "Número de certificados «{standing}»{within}, sin notas de crédito: {value}",
        "Number of certificates “{standing}”{within}, credit notes left out: {value}",
    ),
    "about_estimate": Text(
        "Estimación sobre los certificados{within}, {count} de ellos {count:pagado|pagados}: {value}",
        "Estimate over the certificates{within}, {count} of them paid: {value}",
    ),
    "about_bucket": Text("{amount} × {rate} ({age} días)", "{amount} × {rate} ({age} days)"),
    "about_within": Text(" con «{event}» del {first} al {last}", " with “{event}” from {first} to {last}"),
    "about_expected": Text(
        "Suma de cada saldo por cobrar × la probabilidad de que se pague hasta el {until}: {value}",
        "Sum of each receivable balance × the chance that it is paid by {until}: {value}",
    ),
    "about_forecast": Text("El pronóstico por mes", "The forecast by month"),
    "target_is": Text("Meta: {target}.", "Target: {target}."),
    "card_part": Text("{label}: {values}", "{label}: {values}"),
    # What is expected in the next days.
    "expected_within": Text("Cobro esperado en {days} días", "Expected in {days} days"),
    "expected_band": Text(
        "Hasta el {until}; intervalo del 90%: {low} a {high}",
        "Through {until}; 90% interval: {low} to {high}",
    ),
    "expected_of": Text("Solo lo ya emitido", "Only what is already issued"),
    "expected_held": Text("El intervalo acertó el {share} de las veces", "Interval held {share} of the time"),
    "expected_none": Text("Aún no hay pronóstico", "There is no forecast yet"),
    "expected_meaning": Text(
        "Cobros esperados en los 30 días siguientes a la fecha, según cómo ha pagado cada cliente. Cubre "
        "solo certificados ya enviados y por cobrar; lo que se envíe después no está incluido. El intervalo "
        "se ajusta a los errores de pronósticos anteriores; bajo un filtro, a los de cada cliente.",
        "Collections expected in the 30 days after the date, from how each client has paid so far. It covers "
        "only certificates that are already sent and receivable; what is sent later is not in it. The "
        "interval follows the errors of past forecasts; under a filter, those of single clients.",
    ),
    "definition_note": Text(
        "Montos sobre un millón, en millones (M). Nunca se suman monedas distintas.",
        "Amounts over a million in millions (M). Currencies are never added.",
    ),
    "hover_note": Text("El valor exacto aparece al pasar el cursor.", "Hover for the exact value."),
    # Problems.
    "problem": Text("Problema", "Problem"),
    "allowed_values": Text("Valores permitidos", "Allowed values"),
    "allowed_values_of": Text("Valores permitidos de «{label}»", 'Allowed values of "{label}"'),
}
