"""Proof under fault: real processes, killed, frozen and starved, and a checker that counts.

`python -m tests.torture` runs the scenarios (docs/proofs.md); `test_short.py` runs some of
them in a few seconds each. Everything is judged from outside: by what the producer wrote
into its own file, what the receiver wrote into its own, and what the API says in the end.
"""
