"""What the logs of services have in common: libraries speak in them as well, and never as a flood."""

import logging

AGAIN_S = 10.0


class NotAgain(logging.Filter):
    """Lets a library say the same thing once in ten seconds: without a broker aiokafka says it a hundred times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, int], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        ours = isinstance(record.msg, dict)  # structlog's; each is said
        place = (record.pathname, record.lineno)
        if ours or record.exc_info is not None:
            return True
        if record.created - self._said.get(place, 0.0) < AGAIN_S:
            return False
        self._said[place] = record.created
        return True
