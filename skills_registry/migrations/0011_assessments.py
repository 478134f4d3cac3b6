"""Sittings of a class's final assessment with examiners and who sat; what trainees thought of a class.

Frozen: later changes are migrations of their own. The partial index holds in the database itself that of a
class one sitting of each number stands.
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
    UUIDField,
)


def up(migrator, db):
    class TrainingClass(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "training_class"

    class Teacher(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "teacher"

    class Enrolment(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "enrolment"

    class Assessment(Model):
        id = UUIDField(primary_key=True)
        training_class = ForeignKeyField(TrainingClass, on_delete="RESTRICT")
        sitting = IntegerField()
        held_on = DateField(index=True)
        held_until = DateField()
        place = CharField(max_length=120)
        papers = JSONField()
        status = CharField(max_length=20)
        planned_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "assessment"

    Assessment.add_index(
        Assessment.index(
            Assessment.training_class,
            Assessment.sitting,
            unique=True,
            name="assessment_standing",
            where=Assessment.status != "called_off",
        )
    )
    db.create_tables([Assessment])

    class Examiner(Model):
        id = UUIDField(primary_key=True)
        assessment = ForeignKeyField(Assessment, on_delete="RESTRICT")
        teacher = ForeignKeyField(Teacher, null=True, on_delete="RESTRICT")
        name = BlobField(null=True)
        organisation = CharField(max_length=120)
        standing = BooleanField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "examiner"

    class Candidate(Model):
        id = UUIDField(primary_key=True)
        assessment = ForeignKeyField(Assessment, on_delete="RESTRICT")
        enrolment = ForeignKeyField(Enrolment, on_delete="RESTRICT")
        presence = CharField(max_length=10)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "candidate"
            indexes = ((("assessment", "enrolment"), True),)

    class SatisfactionSurvey(Model):
        id = UUIDField(primary_key=True)
        training_class = ForeignKeyField(TrainingClass, unique=True, on_delete="RESTRICT")
        opens_on = DateField()
        closes_on = DateField()
        least_answers = IntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "satisfaction_survey"

    class SatisfactionTicket(Model):
        id = UUIDField(primary_key=True)
        survey = ForeignKeyField(SatisfactionSurvey, on_delete="RESTRICT")
        enrolment = ForeignKeyField(Enrolment, unique=True, on_delete="RESTRICT")
        code_index = BlobField(unique=True)
        used = BooleanField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "satisfaction_ticket"

    class SatisfactionAnswer(Model):
        id = UUIDField(primary_key=True)
        survey = ForeignKeyField(SatisfactionSurvey, on_delete="RESTRICT")
        faces = JSONField()
        given = IntegerField()
        points = IntegerField()
        helped = BooleanField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "satisfaction_answer"

    db.create_tables([Examiner, Candidate, SatisfactionSurvey, SatisfactionTicket, SatisfactionAnswer])
    column = ForeignKeyField(Assessment, field=Assessment.id, null=True, on_delete="RESTRICT")
    migrator.migrate(migrator.add_column("result", "assessment_id", column))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("result", "assessment_id"))
    tables = ("satisfaction_answer", "satisfaction_ticket", "satisfaction_survey")
    for table in (*tables, "candidate", "examiner", "assessment"):
        migrator.migrate(migrator.drop_table(table))
