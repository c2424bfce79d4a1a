import pytest
from alembic.autogenerate import compare_metadata
from alembic.command import downgrade
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from app.storage import open_store
from app.storage.migrate import alembic_config, comparison, current_revision, last_revision, upgrade
from app.storage.tables import metadata
from tests.builders import a_delivery, furnish
from tests.contracts.stores import a_vault, file_store


@pytest.fixture
def empty(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'relais.db'}", vault=a_vault())
    yield store.database
    store.close()


def head():
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def test_the_migrations_make_exactly_the_tables(empty):
    upgrade(empty)

    with empty.reading() as connection:
        context = MigrationContext.configure(connection, opts=comparison(connection.dialect.name))
        assert compare_metadata(context, metadata) == []


def test_the_migrations_make_the_partial_indexes_and_checks(empty):
    """What the comparison above does not look at."""
    upgrade(empty)

    with empty.reading() as connection:
        made = connection.exec_driver_sql("SELECT name, sql FROM sqlite_master").all()
    in_file = {row.name: " ".join(row.sql.split()) for row in made if row.sql}
    assert in_file["ix_deliveries_due"].endswith("WHERE due_at IS NOT NULL")
    assert in_file["ix_deliveries_open"].endswith("WHERE due_at IS NOT NULL")
    assert in_file["ix_deliveries_lane"].endswith("WHERE lane_at IS NOT NULL")
    assert in_file["ix_lanes_next"].endswith("WHERE next_at IS NOT NULL")
    assert in_file["ix_subscriptions_unconfirmed"].endswith("WHERE state = 'pending'")
    for name in ("uq_subscriptions_fingerprint", "ix_subscriptions_account"):
        assert in_file[name].endswith("WHERE state != 'ended'")
    assert "CONSTRAINT ck_deliveries_settled CHECK" in in_file["deliveries"]


def test_the_last_migration_is_known_by_its_name():
    assert last_revision() == head()


def test_an_empty_database_has_no_revision_and_an_upgraded_one_the_last(empty):
    assert current_revision(empty) is None

    upgrade(empty)

    assert current_revision(empty) == head()


def test_upgrading_again_changes_nothing(tmp_path):
    store = file_store(tmp_path)
    furnish(store, a_delivery())

    upgrade(store.database)

    with store.read() as tx:
        assert tx.delivery("dlv_1") is not None
    store.close()


def test_opening_without_migrating_makes_nothing(empty):
    assert inspect(empty.engine).get_table_names() == []


def test_a_migration_that_fails_leaves_nothing(empty):
    with empty.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE deliveries (id TEXT)")

    with pytest.raises(Exception, match="already exists"):
        upgrade(empty)

    assert inspect(empty.engine).get_table_names() == ["deliveries"]
    assert current_revision(empty) is None


def test_downgrading_drops_everything(empty):
    upgrade(empty)

    with empty.writing() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        downgrade(config, "base")

    assert inspect(empty.engine).get_table_names() == ["alembic_version"]
