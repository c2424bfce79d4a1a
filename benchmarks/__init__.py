"""The benchmark: `python -m benchmarks`, or `make bench`. README.md states the method."""
