"""A page for each kind of problem."""

import pytest

from serving.problem_types import PROBLEM_TYPES


@pytest.mark.parametrize("slug", PROBLEM_TYPES)
def test_each_type_uri_leads_to_its_explanation(slug, web) -> None:
    kind = PROBLEM_TYPES[slug]
    for language, title in zip(("es", "en"), kind.title, strict=True):
        response = web.get(f"{kind.uri}?lang={language}")
        assert response.status_code == 200
        assert f'<html lang="{language}">' in response.text
        assert title in response.text
        assert str(kind.status) in response.text


def test_an_unknown_kind(web) -> None:
    assert web.get("/problems/none").status_code == 404
