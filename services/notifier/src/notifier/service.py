"""How a runner starts this service."""

from contracts.service import Service

SERVICE = Service("notifier", module="notifier", default_port=8403)
