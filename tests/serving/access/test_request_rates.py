"""Nobody may request more work than their share; what is published is read without limit."""

import pytest
from flask.testing import FlaskClient

from kpi_pipeline.cache.requests.requests import Requests
from kpi_pipeline.model.access import REQUESTS_PER_MINUTE, RequestedWork, Role

REFRESH = "/manager/dashboard/refresh"
CLEAR = "/manager/api/cache/clear"
MISSING = "/manager/api/dashboard?client=Minera+Ñandú"


@pytest.mark.parametrize(
    ("work", "method", "address"),
    [
        (RequestedWork.REFRESH, "post", REFRESH),
        (RequestedWork.CLEAR, "post", CLEAR),
        (RequestedWork.MISSING, "get", MISSING),
    ],
    ids=str,
)
def test_who_requests_too_much_is_refused_and_others_are_not(
    controlled, press, client, work: RequestedWork, method: str, address: str
) -> None:
    press.publish()
    program: FlaskClient = controlled.app.test_client()
    one, other = controlled.token(Role.ADMIN), controlled.token(Role.ADMIN)

    def send(headers: dict[str, str], to: str = address, by: str = method):
        return program.open(to, method=by.upper(), headers=headers)

    for _ in range(REQUESTS_PER_MINUTE[work]):
        assert send(one).status_code == 202
    requested = Requests(client).backlog()
    refused = send(one)
    assert refused.status_code == 429
    assert refused.get_json()["type"] == "/problems/too-many-requests"
    assert refused.get_json()["per_minute"] == REQUESTS_PER_MINUTE[work]
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert Requests(client).backlog() == requested
    assert send(other).status_code == 202
    assert send(one, "/manager/api/dashboard", "get").status_code == 200


def test_where_nobody_is_asked_nothing_is_counted(web, press) -> None:
    press.publish()
    answers = {web.post(REFRESH).status_code for _ in range(REQUESTS_PER_MINUTE[RequestedWork.REFRESH] + 5)}
    assert answers == {202}
