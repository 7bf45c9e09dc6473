"""The oracle: every published number computed a second time, naively, from the rows.

`source_rows`, `standing` and `figures` share no code with the pipeline: they rest on the words of the
domain and on the shapes of the payloads alone. `comparison` sets them against what is published.
"""
