"""The rules: plain data and pure functions. No I/O, no clock, no randomness."""
