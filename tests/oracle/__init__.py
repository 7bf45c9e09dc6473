"""What is published, set against `kpi_pipeline.audit.recomputation`, which computes all of it a second time.

`source_rows` reads sources without the pipeline's help, `listing` and `bridge` recompute the list of
certificates and the bridges. `comparison` sets the figures against what is published.
"""
