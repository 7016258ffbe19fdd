"""Many runs of one grid of configs: running them, and reporting what they came to."""
