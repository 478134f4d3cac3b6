"""What holds a base back: restrictions; sanctions, exits with their teach-out, appeals.

Frozen: later changes are migrations of their own.
"""

from peewee import (
    CharField,
    DateField,
    ForeignKeyField,
    Model,
    UUIDField,
)


def up(migrator, db):
    class Base(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "base"

    class Restriction(Model):
        id = UUIDField(primary_key=True)
        base = ForeignKeyField(Base, on_delete="RESTRICT")
        kind = CharField(max_length=20)
        starts_on = DateField()
        ends_on = DateField(null=True)
        lifted_on = DateField(null=True)
        cause = CharField(max_length=20)
        cause_id = UUIDField(index=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "restriction"

    db.create_tables([Restriction])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("restriction"))
