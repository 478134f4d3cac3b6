"""Admission: applications, what was submitted, inspections with their signatures, panels and score sheets.

Frozen: later changes are migrations of their own. The partial index holds in the database itself that
a base has one application under way.
"""

from peewee import (
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
    class Known(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False

    class Base(Known):
        class Meta:
            table_name = "base"

    class Account(Known):
        class Meta:
            table_name = "account"

    class Listing(Known):
        class Meta:
            table_name = "listing"

    class Notice(Known):
        class Meta:
            table_name = "notice"

    class Application(Model):
        id = UUIDField(primary_key=True)
        base = ForeignKeyField(Base, on_delete="RESTRICT")
        kind = CharField(max_length=40)
        scope = JSONField()
        sites = JSONField()
        round = IntegerField()
        status = CharField(max_length=30)
        open = BooleanField()
        notice = ForeignKeyField(Notice, null=True, on_delete="RESTRICT")
        listing = ForeignKeyField(Listing, null=True, unique=True, on_delete="RESTRICT")
        begun_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "application"

    Application.add_index(
        Application.index(Application.base, unique=True, name="application_open", where=Application.open)
    )
    db.create_tables([Application])

    class Submission(Model):
        id = UUIDField(primary_key=True)
        application = ForeignKeyField(Application, on_delete="RESTRICT")
        round = IntegerField()
        snapshot = JSONField()
        digest = CharField(max_length=64)
        policy_version = CharField(max_length=12)
        submitted_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "submission"
            indexes = ((("application", "round"), True),)

    db.create_tables([Submission])

    class Inspection(Model):
        id = UUIDField(primary_key=True)
        application = ForeignKeyField(Application, on_delete="RESTRICT")
        round = IntegerField()
        visited_on = DateField()
        checklist = JSONField()
        answers = JSONField()
        findings = TextField()
        photos = JSONField()
        inspectors_needed = IntegerField()
        filed_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "inspection"

    db.create_tables([Inspection])

    class InspectionSignature(Model):
        id = UUIDField(primary_key=True)
        inspection = ForeignKeyField(Inspection, on_delete="RESTRICT")
        operator = UUIDField()
        account = UUIDField()
        signed_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "inspection_signature"
            indexes = ((("inspection", "operator"), True),)

    db.create_tables([InspectionSignature])

    class Panel(Model):
        id = UUIDField(primary_key=True)
        application = ForeignKeyField(Application, on_delete="RESTRICT")
        round = IntegerField()
        criteria = JSONField()
        pass_percent = IntegerField()
        rule_from = DateField()
        policy_version = CharField(max_length=12)
        appointed_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "panel"
            indexes = ((("application", "round"), True),)

    db.create_tables([Panel])

    class PanelSeat(Model):
        id = UUIDField(primary_key=True)
        panel = ForeignKeyField(Panel, on_delete="RESTRICT")
        account = ForeignKeyField(Account, on_delete="RESTRICT")
        operator = UUIDField()
        replaces = ForeignKeyField("self", null=True, unique=True, on_delete="RESTRICT")
        status = CharField(max_length=20)
        appointed_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "panel_seat"
            indexes = ((("panel", "operator"), True),)

    db.create_tables([PanelSeat])

    class ScoreSheet(Model):
        id = UUIDField(primary_key=True)
        seat = ForeignKeyField(PanelSeat, unique=True, on_delete="RESTRICT")
        points = JSONField()
        remarks = TextField()
        handed_in_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "score_sheet"

    db.create_tables([ScoreSheet])


def down(migrator, db):
    for table in (
        "score_sheet",
        "panel_seat",
        "panel",
        "inspection_signature",
        "inspection",
        "submission",
        "application",
    ):
        migrator.migrate(migrator.drop_table(table))
