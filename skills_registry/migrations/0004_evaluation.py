"""The yearly evaluation: plans, evaluations, evaluators' scores, frozen proposals, the bases' comments.

Frozen: later changes are migrations of their own.
"""

from peewee import (
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
    class Base(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "base"

    class YearlyPlan(Model):
        id = UUIDField(primary_key=True)
        base = ForeignKeyField(Base, on_delete="RESTRICT")
        year = IntegerField()
        persons = IntegerField()
        entered_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "yearly_plan"
            indexes = ((("base", "year"), True),)

    class Evaluation(Model):
        id = UUIDField(primary_key=True)
        base = ForeignKeyField(Base, on_delete="RESTRICT")
        year = IntegerField()
        status = CharField(max_length=20)
        grade = CharField(max_length=30, null=True)
        opened_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "evaluation"
            indexes = ((("base", "year"), True),)

    class EvaluationScore(Model):
        id = UUIDField(primary_key=True)
        evaluation = ForeignKeyField(Evaluation, on_delete="RESTRICT")
        item = CharField(max_length=40)
        marks = DecimalField(max_digits=5, decimal_places=1, null=True)
        remark = TextField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "evaluation_score"
            indexes = ((("evaluation", "item"), True),)

    class GradeProposal(Model):
        id = UUIDField(primary_key=True)
        evaluation = ForeignKeyField(Evaluation, on_delete="RESTRICT")
        as_of = DateField()
        policy_version = CharField(max_length=12)
        rule_valid_from = DateField()
        rule_source = TextField()
        figures = JSONField()
        vetoes = JSONField()
        marks = DecimalField(max_digits=7, decimal_places=2)
        weight = DecimalField(max_digits=7, decimal_places=2)
        total = DecimalField(max_digits=5, decimal_places=2, null=True)
        grade = CharField(max_length=30)
        summary = TextField()
        proposed_on = DateField()
        comment_days = IntegerField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "grade_proposal"

    class BaseComment(Model):
        id = UUIDField(primary_key=True)
        proposal = ForeignKeyField(GradeProposal, on_delete="RESTRICT")
        text = TextField()
        agrees = BooleanField()
        made_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "base_comment"

    db.create_tables([YearlyPlan, Evaluation, EvaluationScore, GradeProposal, BaseComment])


def down(migrator, db):
    for table in ("base_comment", "grade_proposal", "evaluation_score", "evaluation", "yearly_plan"):
        migrator.migrate(migrator.drop_table(table))
