"""What the embedded broker is told: one node, broker and controller in one, everything on this machine."""

from pathlib import Path

from beforehand.ports import HOST

NODE_ID = 1


def broker_properties(port: int, controller_port: int, log_dir: Path) -> dict[str, str]:
    return {
        "process.roles": "broker,controller",
        "node.id": str(NODE_ID),
        "controller.quorum.voters": f"{NODE_ID}@{HOST}:{controller_port}",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(log_dir.resolve()),
        # Topics are made from contracts; one made by a typing error would have the wrong number of partitions.
        "auto.create.topics.enable": "false",
        # One broker can't keep three copies: with the defaults each transactional producer hangs at its start.
        "default.replication.factor": "1",
        "min.insync.replicas": "1",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        # 50 partitions each by default: hundreds of files for nothing on one machine.
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.num.partitions": "1",
        # A group of one need not wait three seconds for others to join.
        "group.initial.rebalance.delay.ms": "0",
        # After kill -9 the controller waits for the end of the dead broker's session before it takes the new one.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
        "log.retention.hours": str(7 * 24),
        "log.segment.bytes": str(128 * 1024 * 1024),
        "log.cleaner.dedupe.buffer.size": str(32 * 1024 * 1024),
        "num.network.threads": "2",
        "num.io.threads": "4",
    }


LOGGING = {
    "status": "error",
    "rootLogger.level": "warn",
    "rootLogger.appenderRef.console.ref": "console",
    "appender.console.type": "Console",
    "appender.console.name": "console",
    "appender.console.layout.type": "PatternLayout",
    "appender.console.layout.pattern": "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX}{UTC} %-5p %c{1} %m%n%xEx{8}",
}


def as_properties(values: dict[str, str]) -> str:
    """A Java properties file. Raises ValueError for a value that can't stand on one line."""
    for name, value in values.items():
        if "\n" in value:
            raise ValueError(f"{name} has a line break")
    return "".join(f"{name}={value.replace(chr(92), chr(92) * 2)}\n" for name, value in values.items())


def read_properties(text: str) -> dict[str, str]:
    """The values of a simple Java properties file, such as Kafka's meta.properties."""
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}
