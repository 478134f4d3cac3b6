"""Training projects and the bases that carry them out; a class may belong to one.

Frozen: later changes are migrations of their own.
"""

from peewee import (
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
    class Notice(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "notice"

    class Base(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "base"

    class TrainingProject(Model):
        id = UUIDField(primary_key=True)
        year = IntegerField(index=True)
        title = CharField(max_length=120)
        funding_source = CharField(max_length=40)
        training_type = CharField(max_length=30)
        target_group = CharField(max_length=200)
        planned_people = IntegerField()
        planned_hours = IntegerField()
        budget = IntegerField()
        division_code = CharField(max_length=6, index=True)
        counties = JSONField()
        trades = JSONField()
        pass_mark = IntegerField(null=True)
        attendance_percent = IntegerField(null=True)
        notice = ForeignKeyField(Notice, null=True, on_delete="RESTRICT")
        announced_on = DateField(null=True)
        version = IntegerField()
        status = CharField(max_length=20)
        drafted_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "training_project"

    db.create_tables([TrainingProject])

    class ProjectBase(Model):
        id = UUIDField(primary_key=True)
        project = ForeignKeyField(TrainingProject, on_delete="RESTRICT")
        base = ForeignKeyField(Base, on_delete="RESTRICT")

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "project_base"
            indexes = ((("project", "base"), True),)

    db.create_tables([ProjectBase])
    column = ForeignKeyField(TrainingProject, field=TrainingProject.id, null=True, on_delete="RESTRICT")
    migrator.migrate(migrator.add_column("training_class", "project_id", column))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("training_class", "project_id"))
    for table in ("project_base", "training_project"):
        migrator.migrate(migrator.drop_table(table))
