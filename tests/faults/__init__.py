"""The fault suite: breaks something under load and compares what the receivers got with what was owed.

`FAULTS` lists the faults in the order in which they run; docs/faults.md says which case each one holds.
"""

from faults.outcome import FAULTS, Fault

# Each of these enters its faults into FAULTS.
from faults import daemon_faults, endpoint_faults, instance_faults, kafka_faults, postgres_faults, queue_faults  # noqa: F401, E402

__all__ = ["FAULTS", "Fault"]
