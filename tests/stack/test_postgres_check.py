"""Whether PostgreSQL answers, and what is said where it does not."""

import pytest
import sqlalchemy as sa

from kpi_pipeline.stack.postgres_check import PostgresUnusable, check_postgres

pytestmark = pytest.mark.slow


def test_a_database_that_admits_the_user_is_usable(postgres_server: str) -> None:
    check_postgres(postgres_server)


@pytest.mark.parametrize(
    "changed",
    [{"password": "s3cr3t"}, {"database": "s3cr3t"}, {"port": 1, "password": "s3cr3t"}],
)
def test_what_is_wrong_is_said_without_the_password(postgres_server: str, changed: dict[str, object]) -> None:
    url = sa.make_url(postgres_server).set(**changed).render_as_string(hide_password=False)
    with pytest.raises(PostgresUnusable, match="DAGSTER_POSTGRES_URL") as refused:
        check_postgres(url)
    assert "s3cr3t" not in str(refused.value) or "database" in changed


def test_a_malformed_address_is_not_repeated() -> None:
    with pytest.raises(PostgresUnusable) as refused:
        check_postgres("postgresql://user:s3cr3t@host:port:port/x")
    assert "s3cr3t" not in str(refused.value)
