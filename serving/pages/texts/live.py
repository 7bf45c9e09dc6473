"""Texts of an open page: how fresh its figures are, and the progress of a refresh."""

from typing import Final

from kpi_pipeline.model.labels import Text

_SHARED: Final[dict[str, Text]] = {
    # How fresh the figures are.
    "state_fresh": Text("Al día", "Up to date"),
    "state_earlier": Text("Lectura anterior", "Earlier reading"),
    "state_stale": Text("Desactualizado desde {moment}", "Out of date since {moment}"),
    "state_refreshing": Text("Actualizando…", "Refreshing…"),
    "state_missing": Text("En preparación", "Being prepared"),
    "state_offline": Text("Sin conexión", "Offline"),
    "state_historic": Text("Cierre de mes", "Month end"),
    # The progress of a refresh.
    "refresh_step": Text("paso {done} de {steps}", "step {done} of {steps}"),
    "refresh_done": Text("Las cifras están al día.", "The figures are up to date."),
    "refresh_held": Text(
        "Las cifras siguen en una lectura anterior de los datos, repuesta por el administrador del sistema.",
        "The figures stay at an earlier reading of the data, restored by the system administrator.",
    ),
    "refresh_failed": Text(
        "No se pudieron calcular cifras nuevas; siguen las anteriores.",
        "New figures could not be computed; the previous ones stay.",
    ),
    "refresh_source_failed": Text(
        "La fuente de los datos no responde o no se pudo leer; siguen las cifras anteriores.",
        "The source of the data does not answer or could not be read; the previous figures stay.",
    ),
}
"""Texts of the server and of scripts."""

_BY_SCRIPTS: Final[dict[str, Text]] = {
    "gone": Text(
        "{cause} Estas son las últimas cifras que hubo con este filtro; ya no se actualizan.",
        "{cause} These are the last figures there were under this filter; they are no longer updated.",
    ),
    "phase_queued": Text("En espera…", "Waiting…"),
    "phase_reading": Text("Leyendo…", "Reading…"),
    "phase_computing": Text("Calculando…", "Computing…"),
    "phase_publishing": Text("Publicando…", "Publishing…"),
    "refresh_progress": Text("Avance de la actualización", "Progress of the refresh"),
    "refresh_unknown": Text(
        "No se conoce el resultado de la actualización; siguen las cifras anteriores. Pida otra.",
        "The outcome of the refresh is unknown; the previous figures stay. Request another.",
    ),
    "refresh_expired": Text(
        "La actualización no terminó a tiempo; siguen las cifras anteriores.",
        "The refresh timed out; the previous figures stay.",
    ),
    "refresh_refused": Text(
        "No se pudo pedir la actualización; siguen las cifras anteriores. Pruebe en unos segundos.",
        "The refresh could not be requested; the previous figures stay. Try again in a few seconds.",
    ),
    "refresh_cause": Text(
        "Quien administra el sistema encuentra la causa en la página «Sistema».",
        "Whoever runs the system finds the cause on the page “System”.",
    ),
    "preparing_failed": Text(
        "Las cifras de este filtro no se pudieron preparar; se muestran las del filtro más amplio.",
        "The figures for this filter could not be prepared; those of the wider filter are shown.",
    ),
    # What is new.
    "was": Text("antes {value}", "was {value}"),
    "changed": Text("cambió: antes {value}", "changed: was {value}"),
    "news_none": Text("Cifras al día: ninguna cambió.", "Figures up to date: none changed."),
    "news_none_earlier": Text(
        "Cifras de una lectura anterior: ninguna cambió.", "Figures of an earlier reading: none changed."
    ),
    "news": Text("Cifras nuevas: {count} {count:cambió|cambiaron}.", "New figures: {count} changed."),
    "news_of": Text("{label}: ahora {value}, antes {before}.", "{label}: now {value}, was {before}."),
    "back_online": Text("Hay conexión de nuevo.", "The connection is back."),
}

TEXTS: Final[dict[str, Text]] = {
    "as_of": Text("Datos al {day}", "Figures as of {day}"),
    "computed": Text("calculado el {moment}", "computed {moment}"),
    "checked": Text("comprobado", "checked"),
    "stale_notice": Text(
        "Estas cifras están desactualizadas; ya se pidió un cálculo nuevo.",
        "These figures are out of date; a new computation has been requested.",
    ),
    "stale_reload": Text(
        "Recargue la página en unos segundos para verlo.", "Reload the page in a few seconds to see it."
    ),
    "offline_notice": Text(
        "No hay conexión con los datos: se muestran las últimas cifras conocidas. La página se pone al día "
        "por sí sola en cuanto la haya.",
        "There is no connection to the data: the last known figures are shown. The page catches up by "
        "itself as soon as there is one.",
    ),
    "missing_notice": Text(
        "Las cifras de este filtro se están preparando. Mientras tanto, estas son las de un filtro más "
        "amplio: {wider}. La página se actualiza sola.",
        "The figures for this filter are being prepared. Meanwhile, these are those of a wider filter: "
        "{wider}. The page refreshes itself.",
    ),
    # Readings of the source.
    "rolled_back_notice": Text(
        "Cifras de una lectura anterior de los datos, del {read}, repuestas por el administrador del sistema "
        "el {at}. Se mantienen hasta que se publique una lectura nueva.",
        "Figures of an earlier reading of the data, of {read}, restored by the system administrator on {at}. "
        "They stay until a newer reading is published.",
    ),
    "mixed_notice": Text(
        "No todas las páginas son de la misma lectura de los datos, y sus cifras pueden diferir. Esta página "
        "es de la lectura del {own}. {others}",
        "Not all pages are of the same reading of the data, so their figures may differ. This page is of the "
        "reading of {own}. {others}",
    ),
    "mixed_others": Text("{pages}: lectura del {moment}.", "{pages}: reading of {moment}."),
    # The source.
    "source_failing": Text(
        "La fuente de los datos no responde o no se puede leer desde el {since}. Se muestran las cifras "
        "comprobadas el {checked}; las nuevas se calculan en cuanto vuelva.",
        "The source of the data has not answered, or could not be read, since {since}. The figures shown "
        "were checked {checked}; new ones are computed as soon as it is back.",
    ),
    "source_held": Text(
        "La última lectura de la fuente no se publicó: {falls}. Estas cifras son de la lectura "
        "anterior, hasta que se confirme la nueva o la fuente vuelva a lo normal.",
        "The latest reading of the source was not published: {falls}. These figures are those of the reading "
        "before, until the new one is confirmed or the source is back to normal.",
    ),
    "source_held_refused": Text(
        "La última lectura de la fuente no se publicó: demasiadas filas no se pudieron leer. Estas cifras "
        "son de la lectura anterior.",
        "The latest reading of the source was not published: too much of it could not be read. These figures "
        "are those of the reading before.",
    ),
    "source_fall_certificates": Text(
        "los certificados bajaron un {share}", "the number of certificates fell by {share}"
    ),
    "source_fall_certificates_amount": Text(
        "el monto de los certificados en {currency} bajó un {share}",
        "the amount of certificates in {currency} fell by {share}",
    ),
    "source_fall_costs": Text("los costos bajaron un {share}", "the number of costs fell by {share}"),
    "source_fall_costs_amount": Text(
        "el monto de los costos en {currency} bajó un {share}",
        "the amount of costs in {currency} fell by {share}",
    ),
    "source_refused_certificates": Text(
        "No se {count:pudo|pudieron} leer {count} {count:certificado|certificados} de la fuente ({share} "
        "de las filas{money}): no {count:está|están} en estas cifras.",
        "{count} {count:certificate|certificates} of the source could not be read ({share} of the "
        "rows{money}) and {count:is|are} not in these figures.",
    ),
    "source_refused_costs": Text(
        "No se {count:pudo|pudieron} leer {count} {count:costo|costos} de la fuente ({share} de las "
        "filas{money}): no {count:está|están} en estas cifras.",
        "{count} {count:cost|costs} of the source could not be read ({share} of the rows{money}) and "
        "{count:is|are} not in these figures.",
    ),
    "source_refused_amount": Text(
        ", {share} del monto en {currency}", ", {share} of the amount in {currency}"
    ),
    "source_refused_unknown": Text(
        "De {count} {count:fila|filas} no se conoce el monto.",
        "The amount of {count} {count:row|rows} is unknown.",
    ),
    "follow_request": Text("Ver el avance", "See its progress"),
    # The button that refreshes.
    "refresh": Text("Actualizar", "Refresh"),
    "refresh_running": Text(
        "Se están calculando cifras nuevas; la página se actualiza sola.",
        "New figures are being computed; the page refreshes itself.",
    ),
    **_SHARED,
    **{f"js_{name}": text for name, text in {**_SHARED, **_BY_SCRIPTS}.items()},
}
