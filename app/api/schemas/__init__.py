"""Wire shapes: what requests and answers look like. No logic, no database."""
