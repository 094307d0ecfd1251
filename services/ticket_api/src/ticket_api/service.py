"""How a runner starts this service."""

from contracts.service import Service

SERVICE = Service("ticket_api", module="ticket_api", default_port=8404, key="desk")
