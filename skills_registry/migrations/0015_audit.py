"""The audit: entries that carry the seals of the rows that each transaction wrote.

Frozen: later changes are migrations of their own. What the database holds already is sealed right after
this migration, by the command that runs it.
"""

from peewee import (
    BigAutoField,
    BigIntegerField,
    BlobField,
    CharField,
    CompositeKey,
    DateTimeField,
    Model,
    TextField,
    UUIDField,
)


def up(migrator, db):
    class AuditEntry(Model):
        id = BigAutoField(primary_key=True)
        entry = UUIDField(unique=True)
        position = BigIntegerField(null=True, unique=True)
        at = DateTimeField(null=True)
        account = UUIDField(null=True)
        operator = UUIDField(null=True)
        role = CharField(max_length=20)
        origin = CharField(max_length=45)
        action = CharField(max_length=40)
        noun = CharField(max_length=40)
        record_id = UUIDField(null=True, index=True)
        reason = TextField()
        step = UUIDField(null=True)
        writes = TextField()
        seal = BlobField()
        digest = BlobField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "audit_entry"

    class RowSeal(Model):
        table_name = CharField(max_length=63)
        row = CharField(max_length=80)
        seal = CharField(max_length=32)

        class Meta:
            database = db
            legacy_table_names = False
            primary_key = CompositeKey("table_name", "row")
            table_name = "row_seal"

    AuditEntry.add_index(
        AuditEntry.index(AuditEntry.id, name="audit_entry_pending", where=AuditEntry.position.is_null())
    )
    db.create_tables([AuditEntry, RowSeal])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("row_seal"), migrator.drop_table("audit_entry"))
