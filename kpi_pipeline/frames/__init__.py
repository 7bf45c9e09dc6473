"""Published figures as pandas DataFrames, for analysts and notebooks.

    from kpi_pipeline import frames

    frames.kpis(client="Minera Ñandú", source="http://127.0.0.1:5000")
    frames.chart("monthly_trend", period="12m")
    frames.table("collect_today", as_of="2024-05-31", source="redis://127.0.0.1:6379/0")

Every function takes filters as keyword arguments with the names and spellings of the HTTP API, English or
Spanish; a list asks for any of its values. `from` is a keyword of Python: write `from_` (or `desde`).
`source` is the address of the HTTP API, the URL of a Redis server (redis://, rediss://, unix://), or None for
the server of the settings (REDIS_URL, or the one that `kpi up` started).

Dtypes: amounts are `Float64` in whole units of their currency, days and shares `Float64` (0.93 is 93%),
counts `Int64`, months `period[M]`, days of the calendar `datetime64`, names and codes `category`, ordered
where the values have an order. What has no value is missing (`pd.NA`, `pd.NaT`), never zero.

`attrs` of a frame, all of them plain JSON values:
    generation, as_of, computed_at: which publication, of which business date, when its data were read.
    rolled_back: the earlier reading that an administrator went back to, and when; None as a rule.
    mixed_readings: by product the reading that it shows, while products differ; None as a rule.
    state: `fresh`, `stale`, `historic` (a month end), or `missing`: the figures are those of a wider filter.
    requested, filter: the filter asked for, and the one that the figures answer.
    units: by column `currency`, `days`, `share`, `count`, `month`, `date`, or `unit` (in the column `unit`).
    decimals: by currency, how many decimals its amounts have.
    source, product: where the figures were read (without user and password), and of which product.
"""

from kpi_pipeline.frames.readers import chart, kpis, table
from kpi_pipeline.frames.sources import Unavailable
from kpi_pipeline.model.filter_parameters import QueryError

__all__ = ["QueryError", "Unavailable", "chart", "kpis", "table"]
