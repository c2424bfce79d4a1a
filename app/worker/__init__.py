"""The delivering process: the only home of APScheduler."""
