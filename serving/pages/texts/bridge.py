"""Texts of the page of changes."""

from typing import Final

from kpi_pipeline.model.labels import Text

TEXTS: Final[dict[str, Text]] = {
    "changes": Text("Qué cambió", "What changed"),
    "bridge_comparison": Text("Comparación", "Comparison"),
    "bridge_from": Text("Desde el día", "From"),
    "bridge_to": Text("Hasta el día", "To"),
    "bridge_days_kept": Text("Días", "Days"),
    "bridge_month_ends": Text("Cierres de mes", "Month ends"),
    "bridge_by_month": Text("Por mes", "By month"),
    "bridge_missing": Text(
        "La comparación entre estos dos días se está preparando. La página se actualiza sola.",
        "The comparison of these two days is being prepared. The page refreshes itself.",
    ),
    "bridge_filter": Text("Filtro", "Filter"),
    "bridge_since_last_day": Text("Desde el {day}", "Since {day}"),
    "bridge_since_month_end": Text("Desde el cierre de {month}", "Since the end of {month}"),
    "bridge_of_month": Text("En {month}", "In {month}"),
    "bridge_days": Text("Del {opens} al {closes}", "{opens} to {closes}"),
    "bridge_end": Text("Al {day}", "As of {day}"),
    "bridge_known_on": Text(
        "No se guardó ninguna lectura del {day}: las cifras se reconstruyeron a partir de las fechas y del "
        "historial de los certificados que había el {known}. Las correcciones anteriores no se ven.",
        "No reading of {day} was kept: the figures were reconstructed from the dates and the log of the "
        "certificates that there were on {known}. Earlier corrections are not seen.",
    ),
    "bridge_sums_up": Text(
        "Cada certificado que cambió una cifra está en una sola de sus partes: la cifra inicial más las "
        "partes da exactamente la final, también redondeadas como en los gráficos. Los datos y los archivos "
        "las muestran al peso o centavo.",
        "Each certificate that changed a figure is in just one of its parts: the opening figure plus the "
        "parts is exactly the closing one, also rounded as they are drawn. Data and files show them to the "
        "last unit.",
    ),
    "bridge_nothing": Text(
        "No hay certificados con este filtro.", "There are no certificates under this filter."
    ),
    "bridge_same": Text("No cambió.", "It did not change."),
    "bridge_dso_days": Text("DSO (días)", "DSO (days)"),
    "bridge_dso_of": Text(
        "Al {day}: {receivable} por cobrar ÷ {billed} facturados × {days}.",
        "As of {day}: {receivable} receivable ÷ {billed} billed × {days}.",
    ),
    "bridge_dso_none": Text(
        "{currency}: sin DSO al {day}, porque no hay facturación en el periodo.",
        "{currency}: no DSO as of {day}, since nothing was billed in the period.",
    ),
    "bridge_figure": Text("Cifra", "Figure"),
    "bridge_part": Text("Parte", "Part"),
    "bridge_amount": Text("Monto", "Amount"),
    "bridge_count": Text("Variación en certificados", "Change in certificates"),
    "bridge_certificates": Text("Certificados", "Certificates"),
    "bridge_before": Text("Antes", "Before"),
    "bridge_after": Text("Después", "After"),
    "bridge_change": Text("Variación", "Change"),
    "bridge_standing_before": Text("Situación antes", "Standing before"),
    "bridge_standing_after": Text("Situación después", "Standing after"),
    "bridge_due_before": Text("Vencimiento antes", "Due before"),
    "bridge_due_after": Text("Vencimiento después", "Due after"),
    "bridge_certificates_of": Text("{figure}: {part}", "{figure}: {part}"),
    "bridge_all_parts": Text("todos los cambios", "all changes"),
    "bridge_parts_meaning": Text("Qué es cada parte", "What each part is"),
    "bridge_close": Text("Cerrar la lista", "Close the list"),
    "bridge_axis": Text("El eje no comienza en cero.", "The axis does not begin at zero."),
    "bridge_description": Text(
        "Cómo pasó de {opening} a {closing}.",
        "How it went from {opening} to {closing}.",
    ),
}
