"""How a runner starts this service."""

from contracts.service import Service

SERVICE = Service("rule_engine", module="rule_engine", default_port=8402)
