"""Writes extraction events to a broker: emit.py BOOTSTRAP USER [completed|failed] [COUNT]"""

from __future__ import annotations

import sys
import uuid

from confluent_kafka import Producer


def main() -> int:
    """Writes the events and returns the exit code."""
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    sys.path.insert(0, f"{__file__.rsplit('/', 3)[0]}/tests")
    from tools.events import encode, event

    bootstrap, user, *rest = sys.argv[1:]
    kind = f"extraction.{rest[0] if rest else 'completed'}"
    count = int(rest[1]) if len(rest) > 1 else 1
    producer = Producer({"bootstrap.servers": bootstrap, "log_level": 0})
    for _ in range(count):
        number = uuid.uuid4().hex[:8]
        value = event(kind, user, f"extract-{number}", id=f"evt_{number}", data={"fileName": "invoice.pdf"})
        producer.produce(kind, encode(value), key=user)
    left = producer.flush(10)
    print(f"{count - left} of {count} events written to {kind}")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
