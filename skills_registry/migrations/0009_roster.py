"""What a roster says beyond name and number, accommodations given, substitutes, and consents.

Frozen: later changes are migrations of their own. The partial index holds in the database itself that an
enrolment has one consent that stands.
"""

from peewee import BlobField, CharField, DateField, DateTimeField, ForeignKeyField, Model, UUIDField


def up(migrator, db):
    class Enrolment(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "enrolment"

    class Consent(Model):
        id = UUIDField(primary_key=True)
        enrolment = ForeignKeyField(Enrolment, on_delete="RESTRICT")
        text_version = CharField(max_length=20)
        given_on = DateField()
        means = CharField(max_length=20)
        status = CharField(max_length=20)
        recorded_at = DateTimeField()
        withdrawn_at = DateTimeField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "consent"

    Consent.add_index(
        Consent.index(Consent.enrolment, unique=True, name="consent_given", where=(Consent.status == "given"))
    )
    db.create_tables([Consent])
    substitutes = ForeignKeyField(Enrolment, field=Enrolment.id, null=True, on_delete="RESTRICT")
    migrator.migrate(
        migrator.add_column("enrolment", "particulars", BlobField(null=True)),
        migrator.add_column("enrolment", "accommodations_given", BlobField(null=True)),
        migrator.add_column("enrolment", "substitutes_id", substitutes),
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_column("enrolment", "substitutes_id"),
        migrator.drop_column("enrolment", "accommodations_given"),
        migrator.drop_column("enrolment", "particulars"),
        migrator.drop_table("consent"),
    )
