"""What an operator sees of docker-compose.yml: an event ends as a mail, a stop loses nothing, an intruder can do little."""

import json
import stat
from typing import Any

import pytest
from house import customers, event, wait_for
from kafka import KafkaConsumer, KafkaProducer

from contracts.topics import CUSTOMER_PARTITIONS, TOPICS

SERVICES = ("signal-ingest", "rule-engine", "notifier", "ticket-api")


def test_an_event_posted_over_http_ends_as_a_mail_and_on_the_customers_timeline(
    compose: Any, rule: str
) -> None:
    compose.publish(*customers("ada", domain="http"), event(f"{rule}.failed", "ada", {"order": "o-1"}))
    wait_for(lambda: compose.told().count("ada@http"), lambda mails: mails == 1)
    mail = next(mail for mail in compose.mails() if mail["To"][0]["Address"] == "ada@http")
    assert mail["Subject"] == "Your parcel is held up"
    text = compose.get("mailpit", f"/api/v1/message/{mail['ID']}")["Text"]
    assert (
        f"{compose.url('notifier')}/" in text
    )  # the unsubscribe link leads to where the notifier is published
    wait_for(lambda: sent(compose, "ada"), lambda found: found == [rule])


def test_an_event_that_a_backend_on_the_host_writes_to_kafka_ends_as_a_mail(compose: Any, rule: str) -> None:
    compose.publish(*customers("kim", domain="kafka"))
    producer = KafkaProducer(bootstrap_servers=f"127.0.0.1:{compose.ports['kafka']}", acks="all")
    failed = json.dumps(event(f"{rule}.failed", "kim", {"order": "o-2"})).encode()
    producer.send("events", failed, key=b"kim").get(timeout=30)
    producer.close()
    wait_for(lambda: compose.told().count("kim@kafka"), lambda mails: mails == 1)


def test_the_topics_have_twelve_partitions_each_by_customer(compose: Any) -> None:
    consumer = KafkaConsumer(bootstrap_servers=f"127.0.0.1:{compose.ports['kafka']}")
    try:
        found = {topic.name: len(consumer.partitions_for_topic(topic.name) or ()) for topic in TOPICS}
    finally:
        consumer.close()
    assert found == {topic.name: topic.partition_count(CUSTOMER_PARTITIONS) for topic in TOPICS}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_runs_as_nobody_and_can_write_nothing_but_tmp(compose: Any, service: str) -> None:
    assert compose.run_in(service, "id", "-u").strip() == "10001"
    assert compose.container(service)["State"]["Health"]["Status"] == "healthy"
    write = "import pathlib, sys; [pathlib.Path(at, 'x').write_text('') for at in sys.argv[1:]]"
    compose.run_in(service, "python", "-c", write, "/tmp")
    for folder in ("/app", "/app/.venv", "/var/tmp", "/run/secrets"):
        done = compose.run_in(service, "python", "-c", write + "; print('written')", folder, check=False)
        assert "written" not in done, folder


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_holds_its_own_package_and_contracts_and_no_other_of_ours(
    compose: Any, service: str
) -> None:
    listing = "from importlib.metadata import distributions as d; print(*(each.name for each in d()))"
    installed = set(compose.run_in(service, "python", "-c", listing).split())
    ours = {"contracts", "beforehand", *SERVICES}
    assert installed & ours == {"contracts", service}


def test_secrets_are_the_owners_alone_and_a_container_has_only_its_own(compose: Any) -> None:
    files = list((compose.data / "secrets").iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((compose.data / "secrets").stat().st_mode) == 0o700
    handed = {
        service: compose.run_in(service, "sh", "-c", "ls /run/secrets 2>/dev/null || true").split()
        for service in SERVICES
    }
    assert handed == {
        "signal-ingest": ["ingest_keys.json"],
        "rule-engine": [],
        "notifier": ["link_secret", "notifier.pgpass", "sms_auth_token"],
        "ticket-api": ["desk.key", "ticket_api.pgpass"],
    }
    environment = json.dumps(
        [compose.container(service)["Config"]["Env"] for service in (*SERVICES, "postgres")]
    )
    assert not [file.name for file in files if file.read_text().strip() in environment]


def test_what_is_stopped_and_started_again_has_lost_nothing_and_tells_nobody_twice(
    compose: Any, rule: str
) -> None:
    compose.publish(*customers("eve", domain="before"), event(f"{rule}.failed", "eve", {"order": "o-3"}))
    wait_for(lambda: compose.told().count("eve@before"), lambda mails: mails == 1)
    key = compose.secret("ingest.key")
    compose("down")
    compose("up", "-d", "--wait")
    assert compose.secret("ingest.key") == key
    compose.publish(event(f"{rule}.failed", "eve", {"order": "o-4"}))
    wait_for(compose.told, bool)
    assert compose.told() == ["eve@before"]  # Mailpit has begun anew: this is the second order's mail alone
    wait_for(lambda: sent(compose, "eve"), lambda found: found == [rule, rule])


def sent(compose: Any, customer: str) -> list[str]:
    """The rules of the alerts on the customer's timeline, once for each message that it says was sent."""
    path = f"/v1/customers/{customer}/timeline"
    found = compose.get("ticket-api", path, Authorization=f"Bearer {compose.secret('desk.key')}")
    alerts = [item for item in found["items"] if item["kind"] == "alert"]
    return [alert["rule"] for alert in alerts for message in alert["messages"] if message["fate"] == "sent"]
