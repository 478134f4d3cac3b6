"""Accounts with a lifecycle, keys that may be held to reading, sign-in with a second factor, browser sessions.

Frozen: later changes are migrations of their own. What was ``active`` becomes the status.
"""

from peewee import (
    BlobField,
    BooleanField,
    CharField,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    Model,
    UUIDField,
)


def up(migrator, db):
    class Operator(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "operator"

    class Account(Model):
        id = UUIDField(primary_key=True)
        active = BooleanField()
        status = CharField(max_length=20, default="active")

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "account"

    migrator.migrate(
        migrator.add_column("account", "status", CharField(max_length=20, default="active")),
        migrator.add_column("api_key", "read_only", BooleanField(default=False)),
    )
    Account.update(status="closed").where(~Account.active).execute()
    migrator.migrate(migrator.drop_column("account", "active"))

    class BrowserSession(Model):
        id = UUIDField(primary_key=True)
        digest = BlobField(unique=True)
        operator = ForeignKeyField(Operator, on_delete="RESTRICT")
        account = ForeignKeyField(Account, null=True, on_delete="RESTRICT")
        opened_at = DateTimeField()
        used_at = DateTimeField()
        ended_at = DateTimeField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "browser_session"

    class Credential(Model):
        id = UUIDField(primary_key=True)
        operator = ForeignKeyField(Operator, unique=True, on_delete="RESTRICT")
        login = CharField(max_length=60, unique=True)
        password_hash = CharField(max_length=200)
        factor = BlobField()
        last_step = IntegerField()
        changed_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "credential"

    class RecoveryCode(Model):
        id = UUIDField(primary_key=True)
        operator = ForeignKeyField(Operator, on_delete="RESTRICT")
        digest = BlobField()
        used_at = DateTimeField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "recovery_code"

    class Invitation(Model):
        id = UUIDField(primary_key=True)
        operator = ForeignKeyField(Operator, on_delete="RESTRICT")
        digest = BlobField(unique=True)
        factor = BlobField()
        created_at = DateTimeField()
        expires_at = DateTimeField()
        used_at = DateTimeField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "invitation"

    db.create_tables([BrowserSession, Credential, RecoveryCode, Invitation])


def down(migrator, db):
    for table in ("invitation", "recovery_code", "credential", "browser_session"):
        migrator.migrate(migrator.drop_table(table))
    migrator.migrate(
        migrator.drop_column("api_key", "read_only"),
        migrator.add_column("account", "active", BooleanField(default=True)),
        migrator.drop_column("account", "status"),
    )
