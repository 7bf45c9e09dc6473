"""Texts of the system page."""

from typing import Final

from kpi_pipeline.model.labels import Text

TEXTS: Final[dict[str, Text]] = {
    "system": Text("Sistema", "System"),
    "system_intro": Text(
        "Qué está publicado, el uso de la caché y qué hace el proceso de cálculo.",
        "What is published, use of the cache, and what the pipeline is doing.",
    ),
    "system_to_dagster": Text("Abrir Dagster", "Open Dagster"),
    "system_unread": Text(
        "Esta parte no se puede leer: Redis no responde o su usuario no tiene permiso.",
        "This part cannot be read: Redis does not answer, or its user may not.",
    ),
    "system_no_redis": Text(
        "No se conoce ningún servidor Redis. Inicie el sistema con «kpi up» o defina REDIS_URL.",
        "No Redis server is known. Start the system with `kpi up` or set REDIS_URL.",
    ),
    # Health.
    "system_health": Text("Salud del sistema", "Health of the system"),
    "system_health_ok": Text("Bien", "Ok"),
    "system_health_degraded": Text("Con problemas", "Degraded"),
    "system_health_down": Text("Fuera de servicio", "Down"),
    "system_healthy": Text("Todo funciona.", "Everything works."),
    "system_last_run": Text("Última ejecución", "Last run"),
    "system_last_runs": Text("Últimas ejecuciones", "Last runs"),
    "system_job": Text("Trabajo", "Job"),
    "system_outcome": Text("Resultado", "Outcome"),
    "system_ended": Text("Término", "Ended"),
    "system_why": Text("Motivo de la falla", "Why it failed"),
    "system_no_runs": Text("Aún no ha terminado ninguna.", "None has ended yet."),
    "system_run_SUCCESS": Text("terminada", "succeeded"),
    "system_run_FAILURE": Text("fallida", "failed"),
    "system_run_CANCELED": Text("cancelada", "canceled"),
    "system_process_RUNNING": Text("en marcha", "running"),
    "system_process_STARTING": Text("iniciándose", "starting"),
    "system_process_BACKOFF": Text("reintentando", "restarting"),
    "system_process_STOPPED": Text("detenido", "stopped"),
    "system_process_STOPPING": Text("deteniéndose", "stopping"),
    "system_process_EXITED": Text("terminado", "ended"),
    "system_process_FATAL": Text("no arranca", "does not start"),
    "system_daemons": Text("Procesos de Dagster", "Dagster's daemons"),
    "system_daemons_alive": Text("{alive} de {count} activos", "{alive} of {count} alive"),
    # Alerts.
    "system_alerts": Text("Avisos", "Alerts"),
    "system_no_alerts": Text("No hay avisos activos.", "No alert is firing."),
    "system_alerts_problem": Text(
        "El archivo de reglas no se puede usar: «kpi alerts check» dice por qué.",
        "The file of rules cannot be used: `kpi alerts check` shows why.",
    ),
    "system_severity_info": Text("Informativo", "Information"),
    "system_severity_warning": Text("Advertencia", "Warning"),
    "system_severity_critical": Text("Crítico", "Critical"),
    "system_alert_since": Text("Desde", "Since"),
    "system_alerts_pending": Text("Avisos pendientes", "Pending"),
    "system_alerts_undelivered": Text("Mensajes sin entregar", "Undelivered messages"),
    "system_alerts_evaluated": Text("Última evaluación", "Last evaluated"),
    "system_alerts_never": Text("nunca", "never"),
    # Audits of figures.
    "system_audit": Text("Auditoría de consistencia", "Consistency audit"),
    "system_audit_agrees": Text(
        "{agreeing} de {count} {count:cifra recalculada coincide|cifras recalculadas coinciden} con lo "
        "publicado: coincide al menos el {share} de todas, con un 95% de confianza. Última auditoría: "
        "{ago}.",
        "{agreeing} of {count} recomputed {count:figure agrees|figures agree} with what is published: at "
        "least {share} of all figures agree, with 95% confidence. Last audit: {ago}.",
    ),
    "system_audit_held": Text(
        "{product}: {count} {count:cifra difiere|cifras difieren}. No se publica nada nuevo del producto "
        "hasta que se resuelva.",
        "{product}: {count} {count:figure differs|figures differ}. Nothing newer of the product goes live "
        "until that is resolved.",
    ),
    "system_audit_none": Text("Aún no se ha hecho ninguna.", "None has been made yet."),
    # Generations.
    "system_products": Text("Generaciones publicadas", "Published generations"),
    "system_state_fresh": Text("Al día", "Fresh"),
    "system_state_earlier": Text("Lectura anterior", "Earlier reading"),
    "system_state_stale": Text("Desactualizada", "Stale"),
    "system_state_expired": Text("Caducada", "Expired"),
    "system_state_missing": Text("Sin publicar", "Not published"),
    "system_publish": Text("Publíquela con «kpi warm».", "Publish it with `kpi warm`."),
    "system_computed": Text("Calculada", "Computed"),
    "system_verified": Text("Verificada", "Verified"),
    "system_fresh_until": Text("Al día hasta", "Fresh until"),
    "system_stale_until": Text("Caduca", "Expires"),
    "system_life": Text(
        "Ciclo de vida de la generación de {product}: {state}",
        "Life cycle of the generation of {product}: {state}",
    ),
    "system_generation": Text("Generación", "Generation"),
    "system_as_of": Text("Datos al", "As of"),
    "system_reading": Text("Lectura de la fuente", "Reading of the source"),
    "system_rolled_back": Text("Repuesta el", "Rolled back"),
    "system_variants": Text("Variantes", "Variants"),
    "system_size": Text("Tamaño", "Size"),
    "system_watermark": Text("Marca de la fuente", "Source watermark"),
    "system_run": Text("Ejecución", "Run"),
    "system_rebuilt": Text("En cálculo ahora", "Being rebuilt by"),
    "system_previous": Text("Anteriores guardadas", "Previous generations kept"),
    "system_month_ends": Text("Cierres de mes", "Month ends"),
    "system_month_ends_kept": Text("{count}: del {first} al {last}", "{count}: {first} to {last}"),
    "system_none": Text("ninguna", "none"),
    "system_no_month_ends": Text("ninguno", "none"),
    "system_unknown": Text("no se puede leer", "cannot be read"),
    # Coverage.
    "system_coverage": Text("Cobertura y uso de la caché", "Coverage and use of the cache"),
    "system_last_hour": Text(
        "Última hora: {count} {count:solicitud|solicitudes}; el {share} se respondió con sus propias cifras.",
        "Last hour: {count} {count:request|requests}; {share} were answered with their own figures.",
    ),
    "system_response_time": Text(
        "Tiempo de respuesta: {mean} en promedio; el 95% tardó {p95} o menos.",
        "Response time: {mean} on average; 95% took {p95} or less.",
    ),
    "system_coverage_note": Text(
        "Solicitudes de los últimos {days} días. Una variante es un filtro de un producto.",
        "Requests of the last {days} days. A variant is one filter of one product.",
    ),
    "system_product": Text("Producto", "Product"),
    "system_exist": Text("Existentes", "Existing"),
    "system_precomputed": Text("Precalculadas", "Precomputed"),
    "system_no_room": Text("Sin espacio", "No room"),
    "system_requested": Text("Pedidas", "Requested"),
    "system_missing": Text("Faltan", "Missing"),
    "system_hits": Text("Aciertos", "Hits"),
    "system_stale": Text("Desactualizados", "Stale"),
    "system_misses": Text("Fallos", "Misses"),
    "system_hit_rate": Text("Tasa de acierto", "Hit rate"),
    "system_reasons": Text("Fallos de {product}: {reasons}.", "Misses of {product}: {reasons}."),
    "miss_not_precomputed": Text("no precalculada", "not precomputed"),
    "miss_corrupt": Text("dañada", "corrupt"),
    "miss_vanished": Text("perdida", "vanished"),
    "miss_expired": Text("caducada", "expired"),
    "miss_unreachable": Text("Redis inaccesible", "Redis unreachable"),
    # Variants.
    "system_missed": Text(
        "Variantes no precalculadas más pedidas", "Most requested variants not precomputed"
    ),
    "system_most_requested": Text("Variantes más pedidas", "Most requested variants"),
    "system_weight_note": Text(
        "El peso de una solicitud se reduce a la mitad cada día.", "A request's weight halves every day."
    ),
    "system_filter": Text("Filtro", "Filter"),
    "system_reason": Text("Motivo", "Reason"),
    "system_times": Text("Veces", "Times"),
    "system_now": Text("Ahora", "Now"),
    "system_is_there": Text("precalculada", "precomputed"),
    "system_is_missing": Text("falta", "missing"),
    "system_nothing_missed": Text(
        "Todas las variantes pedidas en estos días estaban precalculadas.",
        "All variants requested lately were precomputed.",
    ),
    "system_nothing_requested": Text(
        "No ha habido solicitudes en estos días.", "There were no requests lately."
    ),
    # The pipeline, the server, this process.
    "system_pipeline": Text("Proceso de cálculo", "Pipeline"),
    "system_waiting": Text("Solicitudes en espera", "Requests waiting"),
    "system_taken": Text("Solicitudes en curso", "Requests under way"),
    "system_listeners": Text("Páginas abiertas que reciben avisos", "Open pages that are notified"),
    "system_seen": Text("Última consulta de solicitudes", "Last read of requests"),
    "system_never_seen": Text(
        "nunca: inicie el sistema con «kpi up»", "never: start the system with `kpi up`"
    ),
    "system_server": Text("Redis", "Redis"),
    "system_unreachable": Text("No responde", "Does not answer"),
    "system_latency": Text("Latencia", "Latency"),
    "system_memory": Text("Memoria", "Memory"),
    "system_keys": Text("Claves", "Keys"),
    "system_version": Text("Versión", "Version"),
    "system_process": Text("Este proceso web", "This web process"),
    "system_held": Text("En memoria", "Held in memory"),
    "system_held_of": Text(
        "{count} {count:variante|variantes}, {size} de {limit}",
        "{count} {count:variant|variants}, {size} of {limit}",
    ),
    "system_reads_memory": Text("Respondidas de memoria", "Answered from memory"),
    "system_reads_redis": Text("Leídas de Redis", "Read from Redis"),
    "system_reads_missing": Text("No encontradas", "Not found"),
    "system_reads_expired": Text("Caducadas", "Expired"),
    "system_source": Text("Fuente", "Source"),
    "system_source_read": Text("Leída y aceptada por última vez", "Last read and accepted"),
    "system_source_certificates": Text("Certificados aceptados", "Certificates accepted"),
    "system_source_refused": Text("Filas rechazadas", "Rows refused"),
    "system_source_of_certificates": Text("certificados", "certificates"),
    "system_source_of_costs": Text("costos", "costs"),
    "system_source_refused_amount": Text(
        "Monto rechazado en {currency}, {of}", "Amount refused in {currency}, {of}"
    ),
    "system_source_unreadable": Text(
        "Rechazados de monto desconocido, {of}", "Refused of unknown amount, {of}"
    ),
    "system_source_unknown": Text("Aún no se ha leído.", "Not read yet."),
    "system_alarms": Text("Alarmas", "Alarms"),
    "system_no_alarms": Text("Ninguna en las últimas 24 horas.", "None in the last 24 hours."),
}
