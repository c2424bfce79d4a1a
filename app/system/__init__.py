"""This machine: its clock, its dice, the bell between processes, and the log."""
