"""A person's file: residence, yearly services, employment, certificates of other bodies, corrections.

Frozen: later changes are migrations of their own. The partial indexes hold in the database itself that a
person holds a certificate once, and that one request at a time is open for a field.
"""

from peewee import (
    BlobField,
    CharField,
    DateField,
    DateTimeField,
    ForeignKeyField,
    JSONField,
    Model,
    UUIDField,
)


def up(migrator, db):
    class Person(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "person"

    class Enrolment(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "enrolment"

    class Residence(Model):
        id = UUIDField(primary_key=True)
        person = ForeignKeyField(Person, on_delete="RESTRICT")
        division_code = CharField(max_length=6)
        since = DateField()
        recorded_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "residence"

    class ServiceEntry(Model):
        id = UUIDField(primary_key=True)
        person = ForeignKeyField(Person, on_delete="RESTRICT")
        service = CharField(max_length=40)
        given_on = DateField()
        outcome = BlobField(null=True)
        division_code = CharField(max_length=6)
        status = CharField(max_length=20)
        recorded_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "service_entry"

    class Employment(Model):
        id = UUIDField(primary_key=True)
        person = ForeignKeyField(Person, on_delete="RESTRICT")
        enrolment = ForeignKeyField(Enrolment, null=True, on_delete="RESTRICT")
        form = CharField(max_length=20)
        employer = BlobField(null=True)
        uscc = BlobField(null=True)
        uscc_index = BlobField(null=True, index=True)
        started_on = DateField(index=True)
        ended_on = DateField(null=True)
        evidence = JSONField()
        status = CharField(max_length=20)
        reported_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "employment"

    class HeldCertificate(Model):
        id = UUIDField(primary_key=True)
        person = ForeignKeyField(Person, on_delete="RESTRICT")
        enrolment = ForeignKeyField(Enrolment, null=True, on_delete="RESTRICT")
        kind = CharField(max_length=30)
        number = BlobField()
        number_index = BlobField(index=True)
        issuer = CharField(max_length=120)
        occupation_edition = CharField(max_length=4)
        occupation_code = CharField(max_length=12)
        occupation_name = CharField(max_length=60)
        level = CharField(max_length=30)
        issued_on = DateField()
        expires_on = DateField(null=True)
        status = CharField(max_length=20)
        registered_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "held_certificate"

    class CorrectionRequest(Model):
        id = UUIDField(primary_key=True)
        person = ForeignKeyField(Person, on_delete="RESTRICT")
        field = CharField(max_length=30)
        old_value = BlobField(null=True)
        new_value = BlobField()
        asked_by = CharField(max_length=20)
        status = CharField(max_length=20)
        requested_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "correction_request"

    HeldCertificate.add_index(
        HeldCertificate.index(
            HeldCertificate.person,
            HeldCertificate.kind,
            HeldCertificate.number_index,
            unique=True,
            name="held_certificate_standing",
            where=(HeldCertificate.status != "struck"),
        )
    )
    CorrectionRequest.add_index(
        CorrectionRequest.index(
            CorrectionRequest.person,
            CorrectionRequest.field,
            unique=True,
            name="correction_request_open",
            where=(CorrectionRequest.status == "requested"),
        )
    )
    db.create_tables([Residence, ServiceEntry, Employment, HeldCertificate, CorrectionRequest])


def down(migrator, db):
    for name in ("correction_request", "held_certificate", "employment", "service_entry", "residence"):
        migrator.migrate(migrator.drop_table(name))
