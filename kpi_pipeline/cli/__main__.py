"""`python -m kpi_pipeline.cli`: the same as `kpi`."""

from kpi_pipeline.cli.app import main

main()
