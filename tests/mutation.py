"""How the tests run in a mutation run, and only there (`-p tests.mutation`; docs/mutation.md).

The same examples each time, so that a mutant lives or dies for a reason that can be read again; no time spent
on making a counterexample small. And the machine's clock shows the time of a zone far from every clinic's, so that
asking it is noticed.
"""

from __future__ import annotations

import os
import time

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "mutation",
    derandomize=True,
    deadline=None,
    max_examples=25,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("mutation")

os.environ["TZ"] = "Asia/Kathmandu"
time.tzset()
