"""`kpi setup`: prepare the servers that processes need which `kpi up` does not start."""

from pathlib import Path
from typing import Annotated

import typer

from kpi_pipeline.cli.console import print_line
from kpi_pipeline.cli.problems import Problem, load_settings, reported_errors
from kpi_pipeline.stack.addresses import Addresses
from kpi_pipeline.stack.home import Home, migrate_run_storage
from kpi_pipeline.stack.programs import pipeline_environment
from kpi_pipeline.stack.redis_users import UserFiles, UsersRefused, create_users

setup = typer.Typer(
    help="Prepare the servers of a production machine: users of Redis, tables of Dagster.",
    no_args_is_help=True,
)


@setup.command("redis")
def setup_redis(
    folder: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder of the files that are written; default: KPI_HOME."),
    ] = None,
    renew: Annotated[bool, typer.Option("--renew", help="Replace the passwords by new ones.")] = False,
) -> None:
    """Create the two users of the cache on the Redis server of REDIS_URL, and write their addresses.

    For this command, REDIS_URL names a user who may administer users. `redis-pipeline.env` then holds
    REDIS_URL for the pipeline, and `redis-serving.env` REDIS_SERVING_URL for the dashboard, which can read
    figures and append requests only. Run it again after an upgrade: the users get their present rights, and
    the passwords stay.

    Exit codes: 0 both users exist and have been checked, 1 failed.

    Example: `kpi setup redis --folder /etc/kpi`
    """
    with reported_errors():
        settings = load_settings()
        if settings.redis_url is None:
            raise Problem(
                "REDIS_URL is not set: let it name the server and a user who may administer users; the "
                "embedded server needs no set-up"
            )
        files = UserFiles.of(folder or settings.home)
        try:
            kept = create_users(settings.redis_url.get_secret_value(), files, renew=renew)
        except UsersRefused as error:
            raise Problem(str(error)) from error
        print_line(f"REDIS_URL of the pipeline           {files.pipeline}")
        print_line(f"REDIS_SERVING_URL of the dashboard  {files.serving}")
        if not kept:
            print_line(
                "The server cannot write its users down and loses them when it restarts: configure an "
                "aclfile, or run this command again then."
            )


@setup.command("dagster")
def setup_dagster() -> None:
    """Prepare KPI_HOME and Dagster's tables for processes that `kpi run` starts.

    Run it before the first start, after each upgrade, and after a change of DAGSTER_POSTGRES_URL or
    KPI_CODE_SERVER, while those processes are stopped.

    Exit codes: 0 prepared, 1 failed.

    Example: `kpi setup dagster`
    """
    with reported_errors():
        settings = load_settings()
        if settings.redis_url is None:
            raise Problem("REDIS_URL is not set: let it name the cache's server")
        home, addresses = Home(settings), Addresses.of_settings(settings)
        home.make()
        home.write_workspace(addresses)
        migrate_run_storage(home, pipeline_environment(settings, home, addresses))
        where = "PostgreSQL" if settings.dagster_postgres_url else f"SQLite files in {home.dagster}"
        print_line(f"Dagster keeps its runs in {where}")
