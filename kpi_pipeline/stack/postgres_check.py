"""Whether a PostgreSQL database can hold Dagster's storage."""

_CONNECT_S = 5


class PostgresUnusable(RuntimeError):
    """The database does not answer or refuses the user; the message says what to do."""


def check_postgres(url: str) -> None:
    """Connect to a database, as Dagster does, which itself would retry for a quarter of a minute.

    Raises:
        PostgresUnusable: If that fails; the message holds no password.
    """
    # Imported only when needed: most stacks have no PostgreSQL, and the driver takes time to load.
    import psycopg  # noqa: PLC0415

    try:
        psycopg.connect(url, connect_timeout=_CONNECT_S).close()
    except psycopg.Error as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0]
        # A malformed address is quoted by the driver.
        quoted = "" if "://" in reason or "@" in reason else f" ({reason})"
        raise PostgresUnusable(
            f"PostgreSQL cannot be used{quoted}: start the server, create the database and its user, and let "
            "DAGSTER_POSTGRES_URL name them"
        ) from error
