"""Safeguards of personal data: how far re-sealing has come, and who was erased on request.

Frozen: later changes are migrations of their own.
"""

from peewee import CharField, DateTimeField, ForeignKeyField, IntegerField, Model, UUIDField


def up(migrator, db):
    class Person(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "person"

    class Resealing(Model):
        id = UUIDField(primary_key=True)
        key_version = IntegerField()
        table_name = CharField(max_length=63)
        last_row = UUIDField(null=True)
        done_at = DateTimeField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "resealing"
            indexes = ((("key_version", "table_name"), True),)

    class Erasure(Model):
        id = UUIDField(primary_key=True)
        person = ForeignKeyField(Person, on_delete="RESTRICT")
        asked_by = CharField(max_length=20)
        status = CharField(max_length=20)
        requested_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "erasure"

    db.create_tables([Resealing, Erasure])


def down(migrator, db):
    for table in ("erasure", "resealing"):
        migrator.migrate(migrator.drop_table(table))
