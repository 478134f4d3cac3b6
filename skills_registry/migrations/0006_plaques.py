"""Plaque certificates of listed bases.

Frozen: later changes are migrations of their own. The partial index holds in the database itself that a
listing has one plaque in force.
"""

from peewee import (
    BlobField,
    CharField,
    DateField,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
    UUIDField,
)


def up(migrator, db):
    class Base(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "base"

    class Listing(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "listing"

    class Plaque(Model):
        id = UUIDField(primary_key=True)
        statement_id = BlobField(unique=True)
        number = CharField(max_length=30, unique=True)
        division_code = CharField(max_length=6)
        year = IntegerField()
        serial = IntegerField()
        listing = ForeignKeyField(Listing, on_delete="RESTRICT")
        base = ForeignKeyField(Base, on_delete="RESTRICT")
        template = CharField(max_length=60)
        base_name = CharField(max_length=120)
        base_kind = CharField(max_length=60)
        plaque_number = CharField(max_length=40)
        scope = TextField()
        valid_from = DateField()
        issued_on = DateField()
        expires_on = DateField()
        issuer = CharField(max_length=120)
        registered_with = CharField(max_length=120)
        status_index = IntegerField(unique=True)
        statement = BlobField(unique=True)
        key_id = BlobField()
        signature = BlobField()
        status = CharField(max_length=20)
        issued_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "plaque"
            indexes = ((("division_code", "year", "serial"), True),)

    Plaque.add_index(
        Plaque.index(Plaque.listing, unique=True, name="plaque_standing", where=(Plaque.status == "valid"))
    )
    db.create_tables([Plaque])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("plaque"))
