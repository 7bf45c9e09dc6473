"""The queries that the client sends are those of the installed Dagster's GraphQL API."""

from importlib.metadata import version

import pytest
from dagster_graphql.schema import create_schema
from graphql import GraphQLSchema, parse, validate

from kpi_pipeline.stack import dagster_client

QUERIES = {
    name: text
    for name, text in vars(dagster_client).items()
    if isinstance(text, str) and text.strip().startswith(("mutation", "query", "{"))
}


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return create_schema().graphql_schema


def test_there_are_queries() -> None:
    assert len(QUERIES) == 10


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_is_valid(schema: GraphQLSchema, name: str) -> None:
    problems = [problem.message for problem in validate(schema, parse(QUERIES[name]))]
    assert problems == [], f"the GraphQL API of dagster {version('dagster')} has changed: adapt {name}"
