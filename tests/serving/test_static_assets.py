"""Style sheets and pictures, addressed by their content."""

import re


def linked(web) -> list[str]:
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', web.get("/problems/expired").text)
    return list(dict.fromkeys(addresses))


def test_linked_files_are_served_for_ever(web) -> None:
    addresses = linked(web)
    assert {"icon.svg", "pages.css", "main.js"} <= {address.rpartition("/")[2] for address in addresses}
    for address in addresses:
        response = web.get(address)
        assert response.status_code == 200
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.content_type.startswith(("text/css", "image/svg+xml", "text/javascript"))
        again = web.get(address, headers={"If-None-Match": response.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


def test_files_load_nothing_from_elsewhere(web) -> None:
    for address in linked(web):
        text = web.get(address).text.replace("http://www.w3.org/2000/svg", "")
        assert "http" not in text
        assert "@import" not in text


def test_other_addresses_are_not_found(web) -> None:
    (address, *_) = linked(web)
    for wrong in (
        "/static/0/pages.css",
        "/static/pages.css",
        address + "x",
        "/static/../app.py",
        "/static/x/%2e%2e%2fapp.py",
    ):
        assert web.get(wrong).status_code == 404
