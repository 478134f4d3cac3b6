"""Documents kept outside the database; public notices and the objections to them; the base's file.

Frozen: later changes are migrations of their own.
"""

from peewee import (
    BlobField,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    TextField,
    UUIDField,
)


def up(migrator, db):
    class Document(Model):
        id = UUIDField(primary_key=True)
        owner = CharField(max_length=40)
        owner_id = UUIDField(index=True)
        kind = CharField(max_length=40)
        digest = CharField(max_length=64)
        media_type = CharField(max_length=100)
        size = IntegerField()
        kept_at = DateTimeField()
        kept_by = UUIDField(null=True)
        standing = BooleanField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "document"

    Document.add_index(
        Document.index(
            Document.owner,
            Document.owner_id,
            Document.kind,
            Document.digest,
            unique=True,
            name="document_standing",
            where=Document.standing,
        )
    )
    db.create_tables([Document])

    class Notice(Model):
        id = UUIDField(primary_key=True)
        subject = CharField(max_length=40)
        subject_id = UUIDField(index=True)
        division_code = CharField(index=True, max_length=6)
        title = CharField(max_length=200)
        text = TextField()
        working_days = IntegerField()
        published_on = DateField()
        closes_on = DateField(index=True)
        provisional = BooleanField()
        status = CharField(max_length=20)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "notice"

    db.create_tables([Notice])

    class Objection(Model):
        id = UUIDField(primary_key=True)
        notice = ForeignKeyField(Notice, on_delete="RESTRICT")
        text = BlobField()
        contact = BlobField()
        answer = BlobField(null=True)
        received_at = DateTimeField()
        answer_by = DateField()
        status = CharField(max_length=20)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "objection"

    db.create_tables([Objection])

    class Base(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "base"

    class BaseFile(Model):
        id = UUIDField(primary_key=True)
        base = ForeignKeyField(Base, on_delete="RESTRICT", unique=True)
        legal_person = BlobField(null=True)
        licence = CharField(max_length=60)
        licence_until = DateField(null=True)
        business_scope = TextField()
        registered_on = DateField(null=True)
        version = IntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "base_file"

    db.create_tables([BaseFile])

    class Site(Model):
        id = UUIDField(primary_key=True)
        base = ForeignKeyField(Base, on_delete="RESTRICT")
        name = CharField(max_length=120)
        address = CharField(max_length=200)
        area = IntegerField()
        capacity = IntegerField()
        tenure = CharField(max_length=10)
        tenure_until = DateField(null=True)
        accessibility = JSONField()
        standing = BooleanField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "site"

    db.create_tables([Site])

    class Teacher(Model):
        id = UUIDField(primary_key=True)
        base = ForeignKeyField(Base, on_delete="RESTRICT")
        name = BlobField()
        qualification = CharField(max_length=120)
        level = CharField(max_length=60)
        full_time = BooleanField()
        course = CharField(max_length=120)
        standing = BooleanField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "teacher"

    db.create_tables([Teacher])

    class Equipment(Model):
        id = UUIDField(primary_key=True)
        base = ForeignKeyField(Base, on_delete="RESTRICT")
        name = CharField(max_length=120)
        model = CharField(max_length=120)
        quantity = IntegerField()
        standing = BooleanField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "equipment"

    db.create_tables([Equipment])


def down(migrator, db):
    for table in ("equipment", "teacher", "site", "base_file", "objection", "notice", "document"):
        migrator.migrate(migrator.drop_table(table))
