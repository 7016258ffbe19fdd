"""
What the speed of the project is measured by. Each benchmark is a module to run, as in
`python -m benchmarks.limit`, and prints a JSON line.
"""

import hmtl.compat  # noqa: F401
from hmtl.common.environment import set_thread_policy

# Before a benchmark imports torch.
set_thread_policy()
