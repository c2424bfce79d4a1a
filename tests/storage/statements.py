"""What a transaction really asks of SQLite: its statements, their plans, their work."""

from contextlib import contextmanager

from sqlalchemy import event


@contextmanager
def recorded(store):
    """Record (statement, parameters) of everything that runs meanwhile."""
    engine = store.database.engine
    found = []

    def record(_connection, _cursor, statement, parameters, _context, _many):
        found.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", record)
    yield found
    event.remove(engine, "before_cursor_execute", record)


def plans(store, ask):
    """Return how SQLite looks up each SELECT, UPDATE and DELETE that ``ask(tx)`` makes."""
    with recorded(store) as found, store.write() as tx:
        ask(tx)
    with store.database.reading() as connection:
        return [
            "\n".join(
                row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
            )
            for text, values in found
            if text.startswith(("SELECT", "UPDATE", "DELETE")) and not isinstance(values, list)
        ]


@contextmanager
def counted_work(store):
    """Count the instructions of SQLite's machine meanwhile, in thousands, as ``[count]``."""
    count = [0]

    def tick():
        count[0] += 1

    with store.database.writing() as connection:
        driver = connection.connection.driver_connection
    driver.set_progress_handler(tick, 1000)
    yield count
    driver.set_progress_handler(None, 0)
