"""What /metrics shows, declared in one place."""

from prometheus_client import Counter, Gauge, Histogram

FATES = Counter("beforehand_messages", "Messages that came to a fate.", ["channel", "fate"])
ATTEMPTS = Counter(
    "beforehand_send_attempts",
    "Calls of a provider by what came of them: sent, retry, failed.",
    ["channel", "outcome"],
)
CHANNEL_DOWN = Gauge("beforehand_channel_down", "1 while nothing gets through on the channel.", ["channel"])
WAITING = Gauge("beforehand_messages_waiting", "Messages that are neither out nor given up.", ["state"])
REJECTED = Counter("beforehand_records_rejected", "Records that went to the dead letters.", ["topic"])
RECORDS = Counter("beforehand_records_taken", "Records taken.", ["topic"])
LAG = Gauge(
    "beforehand_records_behind",
    "Records between what was taken and the partition's end.",
    ["topic", "partition"],
)
OUTBOX = Counter("beforehand_outbox_relayed", "Records relayed from the outbox to Kafka.", ["topic"])
TOLD_AFTER = Histogram(
    "beforehand_told_after_seconds", "From the alert's transition, by event time, until the message was out.", ["channel"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400),
)  # fmt: skip
SMS_SEGMENTS = Counter("beforehand_sms_segments", "Segments of the text messages that went out.")
