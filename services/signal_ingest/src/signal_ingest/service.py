"""How a runner starts this service."""

from contracts.service import Service

SERVICE = Service("signal_ingest", module="signal_ingest", default_port=8401, key="ingest")
