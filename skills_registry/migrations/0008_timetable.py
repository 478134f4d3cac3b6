"""Timetables of classes in versions, their sessions, and the changes that a base reports.

Frozen: later changes are migrations of their own.
"""

from peewee import (
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
    class TrainingClass(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "training_class"

    class Site(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "site"

    class Teacher(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "teacher"

    class Timetable(Model):
        id = UUIDField(primary_key=True)
        training_class = ForeignKeyField(TrainingClass, on_delete="RESTRICT")
        version = IntegerField()
        reason = TextField()
        made_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "timetable"
            indexes = ((("training_class", "version"), True),)

    db.create_tables([Timetable])

    class Session(Model):
        id = UUIDField(primary_key=True)
        training_class = ForeignKeyField(TrainingClass, on_delete="RESTRICT")
        on = DateField(index=True)
        starts_at = CharField(max_length=5)
        ends_at = CharField(max_length=5)
        class_hours = DecimalField(max_digits=4, decimal_places=1)
        content = CharField(max_length=200)
        kind = CharField(max_length=10)
        site = ForeignKeyField(Site, null=True, on_delete="RESTRICT")
        place = CharField(max_length=120)
        teacher = ForeignKeyField(Teacher, null=True, on_delete="RESTRICT")
        first_version = IntegerField()
        last_version = IntegerField(null=True)
        status = CharField(max_length=20)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "session"

    db.create_tables([Session])

    class ClassChange(Model):
        id = UUIDField(primary_key=True)
        training_class = ForeignKeyField(TrainingClass, on_delete="RESTRICT")
        kind = CharField(max_length=10)
        starts_on = DateField(null=True)
        ends_on = DateField(null=True)
        sessions = JSONField(null=True)
        reason = TextField()
        status = CharField(max_length=20)
        reported_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "class_change"

    waiting = ClassChange.status == "reported"
    ClassChange.add_index(
        ClassChange.index(ClassChange.training_class, unique=True, name="class_change_waiting", where=waiting)
    )
    db.create_tables([ClassChange])


def down(migrator, db):
    for table in ("class_change", "session", "timetable"):
        migrator.migrate(migrator.drop_table(table))
