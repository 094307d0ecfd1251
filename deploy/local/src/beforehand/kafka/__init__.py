"""A real Kafka broker on this machine, without Docker and without an installed Java."""
