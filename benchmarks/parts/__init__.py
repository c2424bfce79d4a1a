"""The parts of the benchmark: each one has a ``measure(bench)`` that returns its results."""
