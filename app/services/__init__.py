"""What Relais does: one use case a module, plain functions on a `Context`."""
