"""Attendance: marks of trainees at sessions, of which one counts.

Frozen: later changes are migrations of their own.
"""

from peewee import BooleanField, CharField, DateTimeField, ForeignKeyField, Model, UUIDField


def up(migrator, db):
    class Session(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "session"

    class Enrolment(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "enrolment"

    class Attendance(Model):
        id = UUIDField(primary_key=True)
        session = ForeignKeyField(Session, on_delete="RESTRICT")
        enrolment = ForeignKeyField(Enrolment, on_delete="RESTRICT")
        mark = CharField(max_length=10)
        means = CharField(max_length=10)
        device = CharField(max_length=60)
        marked_at = DateTimeField(null=True)
        recorded_at = DateTimeField()
        current = BooleanField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "attendance"

    Attendance.add_index(
        Attendance.index(
            Attendance.session,
            Attendance.enrolment,
            unique=True,
            name="attendance_current",
            where=Attendance.current,
        )
    )
    db.create_tables([Attendance])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("attendance"))
