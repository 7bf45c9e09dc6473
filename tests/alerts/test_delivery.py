"""Delivery to a real mail server and over HTTP; addresses stay secret."""

import json
import logging

import pytest

from kpi_pipeline.alerts.delivery import AppriseNotifier, Undelivered
from kpi_pipeline.alerts.messages import Note
from tests.conftest import free_port

NOTE = Note("Crítica, nueva: el disco", "Quedan 3 MiB <b>libres</b>.\nQué hacer: libere espacio.")


def test_a_note_arrives_as_mail(mailbox) -> None:
    address = f"mailto://127.0.0.1:{mailbox.port}?from=kpi@example.com&to=ana@example.com&mode=insecure"
    AppriseNotifier().send(address, NOTE)
    (mail,) = mailbox.mails
    assert (mail["Subject"], mail["To"]) == (NOTE.title, "ana@example.com")
    assert "kpi@example.com" in mail["From"]
    text = mail.get_body(("plain",)).get_content()
    assert "Quedan 3 MiB <b>libres</b>." in text
    assert "Qué hacer: libere espacio." in text


def test_a_note_arrives_at_a_webhook(receiver) -> None:
    AppriseNotifier().send(f"json://{receiver.url}/hook", NOTE)
    (post,) = receiver.posts
    told = json.loads(post.body)
    assert (post.path, told["title"], told["message"]) == ("/hook", NOTE.title, NOTE.body)


def test_what_is_refused_is_not_delivered_and_the_address_is_nowhere(receiver, caplog) -> None:
    receiver.status = 500
    with caplog.at_level(logging.DEBUG), pytest.raises(Undelivered) as raised:
        AppriseNotifier().send(f"json://user:S3CRET@{receiver.url}/T0KEN", NOTE)
    assert len(receiver.posts) == 1
    assert "refused" in str(raised.value)
    for secret in ("S3CRET", "T0KEN"):
        assert secret not in str(raised.value) + caplog.text


@pytest.mark.parametrize("address", ["nothing", "unknown://S3CRET", "mailto://"])
def test_an_address_of_no_service_is_named_without_being_shown(address: str) -> None:
    with pytest.raises(Undelivered, match="no service of this form of address") as raised:
        AppriseNotifier().send(address, NOTE)
    assert "S3CRET" not in str(raised.value)


def test_a_server_that_is_gone_is_not_reached() -> None:
    with pytest.raises(Undelivered, match="could not be reached"):
        AppriseNotifier().send(f"json://127.0.0.1:{free_port()}", NOTE)
