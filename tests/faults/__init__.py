"""The fault suite: breaks something under load and compares what the receivers got with what was owed.

`FAULTS` lists the faults in the order in which they run; docs/faults.md says which case each one holds.
"""

from faults.outcome import FAULTS, Fault

# Each of these enters its faults into FAULTS.
import faults.daemon_faults  # noqa: F401
import faults.instance_faults  # noqa: F401
import faults.kafka_faults  # noqa: F401
import faults.postgres_faults  # noqa: F401
import faults.endpoint_faults  # noqa: F401
import faults.queue_faults  # noqa: F401

__all__ = ["FAULTS", "Fault"]
