# ruff: noqa: INP001 - a program of its own
"""Makes the topics of contracts/ at BEFOREHAND_KAFKA, those keyed by customer with twelve partitions; keeps what is there."""

import os
import sys

from beforehand.errors import RunnerError
from beforehand.kafka.topics import create_topics
from contracts.kafka import kafka_client
from contracts.topics import CUSTOMER_PARTITIONS, TOPICS


def main() -> None:
    bootstrap = os.environ["BEFOREHAND_KAFKA"]
    try:
        create_topics(kafka_client(bootstrap), customer_partitions=CUSTOMER_PARTITIONS)
    except (RunnerError, ValueError) as error:
        sys.exit(str(error))
    print(f"{len(TOPICS)} topics are at {bootstrap}")


if __name__ == "__main__":
    main()
