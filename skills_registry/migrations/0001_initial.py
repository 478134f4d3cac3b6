"""The first schema: accounts, people, bases, training, certificates, and their steps.

Frozen: later changes are migrations of their own. The two partial indexes hold in the database itself
that an enrolment has one current result and one standing certificate of a kind.
"""

from peewee import (
    BlobField,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    DecimalField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    TextField,
    UUIDField,
)


def up(migrator, db):
    class Operator(Model):
        id = UUIDField(primary_key=True)
        label = CharField(max_length=60)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "operator"

    db.create_tables([Operator])

    class Organisation(Model):
        id = UUIDField(primary_key=True)
        name = CharField(max_length=120)
        kind = CharField(max_length=20)
        division_code = CharField(index=True, max_length=6)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "organisation"

    db.create_tables([Organisation])

    class Account(Model):
        id = UUIDField(primary_key=True)
        operator = ForeignKeyField(Operator, on_delete="RESTRICT")
        organisation = ForeignKeyField(Organisation, on_delete="RESTRICT")
        role = CharField(max_length=20)
        active = BooleanField()
        created_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "account"

    db.create_tables([Account])

    class ApiKey(Model):
        id = UUIDField(primary_key=True)
        account = ForeignKeyField(Account, on_delete="RESTRICT")
        prefix = CharField(unique=True, max_length=8)
        digest = BlobField()
        created_at = DateTimeField()
        expires_at = DateTimeField()
        revoked_at = DateTimeField(null=True)
        last_used_at = DateTimeField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "api_key"

    db.create_tables([ApiKey])

    class Base(Model):
        id = UUIDField(primary_key=True)
        number = IntegerField(unique=True)
        organisation = ForeignKeyField(Organisation, unique=True, on_delete="RESTRICT")
        name = CharField(max_length=120)
        public_name = CharField(max_length=120)
        uscc = CharField(unique=True, max_length=18)
        kind = CharField(max_length=40)
        division_code = CharField(index=True, max_length=6)
        created_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "base"

    db.create_tables([Base])

    class TrainingClass(Model):
        id = UUIDField(primary_key=True)
        base = ForeignKeyField(Base, on_delete="RESTRICT")
        filing_no = CharField(unique=True, max_length=20)
        title = CharField(max_length=120)
        training_type = CharField(max_length=30)
        occupation_edition = CharField(max_length=4)
        occupation_code = CharField(max_length=12)
        occupation_name = CharField(max_length=60)
        level = CharField(max_length=30)
        course_title = CharField(max_length=120)
        starts_on = DateField()
        ends_on = DateField()
        class_hours = IntegerField()
        capacity = IntegerField()
        papers = JSONField()
        status = CharField(max_length=20)
        filed_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "training_class"

    db.create_tables([TrainingClass])

    class Person(Model):
        id = UUIDField(primary_key=True)
        citizen_id = BlobField()
        citizen_id_index = BlobField(unique=True)
        name = BlobField()
        name_index = BlobField()
        disability_card = BlobField(null=True)
        sex = CharField(max_length=10)
        created_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "person"

    db.create_tables([Person])

    class Enrolment(Model):
        id = UUIDField(primary_key=True)
        training_class = ForeignKeyField(TrainingClass, on_delete="RESTRICT")
        person = ForeignKeyField(Person, on_delete="RESTRICT")
        name = BlobField()
        name_index = BlobField()
        phone = BlobField(null=True)
        roster_row = IntegerField()
        status = CharField(max_length=20)
        enrolled_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "enrolment"
            indexes = ((("training_class", "person"), True),)

    db.create_tables([Enrolment])

    class Certificate(Model):
        id = UUIDField(primary_key=True)
        statement_id = BlobField(unique=True)
        number = CharField(unique=True, max_length=30)
        division_code = CharField(max_length=6)
        year = IntegerField()
        serial = IntegerField()
        kind = CharField(max_length=30)
        enrolment = ForeignKeyField(Enrolment, on_delete="RESTRICT")
        training_class = ForeignKeyField(TrainingClass, on_delete="RESTRICT")
        person = ForeignKeyField(Person, on_delete="RESTRICT")
        base = ForeignKeyField(Base, on_delete="RESTRICT")
        name = BlobField()
        template = CharField(max_length=60)
        base_name = CharField(max_length=120)
        subject = CharField(max_length=120)
        occupation_edition = CharField(max_length=4)
        occupation_code = CharField(max_length=12)
        level = CharField(max_length=30)
        class_hours = IntegerField()
        starts_on = DateField()
        ends_on = DateField()
        issued_on = DateField()
        expires_on = DateField(null=True)
        registered_with = CharField(max_length=120)
        status_index = IntegerField(unique=True)
        statement = BlobField(unique=True)
        key_id = BlobField()
        signature = BlobField()
        status = CharField(max_length=20)
        replaces = ForeignKeyField("self", unique=True, null=True, on_delete="RESTRICT")
        issued_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "certificate"
            indexes = ((("division_code", "year", "serial"), True),)

    Certificate.add_index(
        Certificate.index(
            Certificate.enrolment,
            Certificate.kind,
            unique=True,
            name="certificate_standing",
            where=(Certificate.status != "superseded"),
        )
    )
    db.create_tables([Certificate])

    class IdempotencyKey(Model):
        id = UUIDField(primary_key=True)
        account = UUIDField()
        key = CharField(max_length=200)
        asked = CharField(max_length=64)
        status = IntegerField(null=True)
        content_type = CharField(max_length=120)
        answer = BlobField(null=True)
        taken_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "idempotency_key"
            indexes = ((("account", "key"), True),)

    db.create_tables([IdempotencyKey])

    class Listing(Model):
        id = UUIDField(primary_key=True)
        base = ForeignKeyField(Base, on_delete="RESTRICT")
        plaque_number = CharField(unique=True, max_length=40)
        valid_from = DateField()
        valid_until = DateField()
        left_on = DateField(null=True)
        basis = TextField()
        status = CharField(max_length=20)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "listing"

    db.create_tables([Listing])

    class Result(Model):
        id = UUIDField(primary_key=True)
        enrolment = ForeignKeyField(Enrolment, on_delete="RESTRICT")
        hours = DecimalField(max_digits=7, decimal_places=1)
        scores = JSONField()
        outcome = CharField(max_length=10)
        current = BooleanField()
        recorded_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "result"

    Result.add_index(Result.index(Result.enrolment, unique=True, name="result_current", where=Result.current))
    db.create_tables([Result])

    class ScopeEntry(Model):
        id = UUIDField(primary_key=True)
        listing = ForeignKeyField(Listing, on_delete="RESTRICT")
        edition = CharField(max_length=4)
        code = CharField(max_length=12)
        name = CharField(max_length=60)
        highest_level = CharField(max_length=30)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "scope_entry"
            indexes = ((("listing", "edition", "code"), True),)

    db.create_tables([ScopeEntry])

    class Series(Model):
        name = CharField(primary_key=True, max_length=60)
        last = IntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "series"

    db.create_tables([Series])

    class Step(Model):
        id = UUIDField(primary_key=True)
        noun = CharField(max_length=40)
        record_id = UUIDField(index=True)
        action = CharField(max_length=40)
        origin = CharField(null=True, max_length=40)
        to = CharField(null=True, max_length=40)
        by_account = UUIDField(null=True)
        by_operator = UUIDField(null=True)
        by_role = CharField(max_length=20)
        at = DateTimeField()
        reason = TextField()
        detail = JSONField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "step"

    db.create_tables([Step])

    class Upload(Model):
        id = UUIDField(primary_key=True)
        training_class = ForeignKeyField(TrainingClass, on_delete="RESTRICT")
        kind = CharField(max_length=10)
        digest = CharField(max_length=64)
        header = JSONField()
        status = CharField(max_length=20)
        staged_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "upload"

    db.create_tables([Upload])

    class UploadRow(Model):
        id = UUIDField(primary_key=True)
        upload = ForeignKeyField(Upload, on_delete="RESTRICT")
        number = IntegerField()
        outcome = CharField(max_length=10)
        problems = JSONField()
        content = BlobField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "upload_row"
            indexes = ((("upload", "number"), True),)

    db.create_tables([UploadRow])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("upload_row"))
    migrator.migrate(migrator.drop_table("upload"))
    migrator.migrate(migrator.drop_table("step"))
    migrator.migrate(migrator.drop_table("series"))
    migrator.migrate(migrator.drop_table("scope_entry"))
    migrator.migrate(migrator.drop_table("result"))
    migrator.migrate(migrator.drop_table("listing"))
    migrator.migrate(migrator.drop_table("idempotency_key"))
    migrator.migrate(migrator.drop_table("certificate"))
    migrator.migrate(migrator.drop_table("enrolment"))
    migrator.migrate(migrator.drop_table("person"))
    migrator.migrate(migrator.drop_table("training_class"))
    migrator.migrate(migrator.drop_table("base"))
    migrator.migrate(migrator.drop_table("api_key"))
    migrator.migrate(migrator.drop_table("account"))
    migrator.migrate(migrator.drop_table("organisation"))
    migrator.migrate(migrator.drop_table("operator"))
