"""The only thing the services share: topics, event types, records on them, envelope and codec."""
