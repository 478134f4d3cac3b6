"""What holds a base back: restrictions; sanctions, exits with their teach-out, appeals.

Frozen: later changes are migrations of their own. The partial index holds in the database itself that
a listing has one exit under way, the unique one that a decision has one appeal.
"""

from peewee import (
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
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

    class Listing(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "listing"

    class TrainingClass(Model):
        id = UUIDField(primary_key=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "training_class"

    class Restriction(Model):
        id = UUIDField(primary_key=True)
        base = ForeignKeyField(Base, on_delete="RESTRICT")
        kind = CharField(max_length=20)
        starts_on = DateField()
        ends_on = DateField(null=True)
        lifted_on = DateField(null=True)
        cause = CharField(max_length=20)
        cause_id = UUIDField(index=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "restriction"

    db.create_tables([Restriction])

    class Sanction(Model):
        id = UUIDField(primary_key=True)
        base = ForeignKeyField(Base, on_delete="RESTRICT")
        listing = ForeignKeyField(Listing, on_delete="RESTRICT")
        step = CharField(max_length=20)
        ground = CharField(max_length=40)
        reason = TextField()
        status = CharField(max_length=20)
        imposed_on = DateField(null=True)
        second_from = DateField(null=True)
        escalates = ForeignKeyField("self", null=True, on_delete="RESTRICT")
        begun_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "sanction"

    db.create_tables([Sanction])

    class Exit(Model):
        id = UUIDField(primary_key=True)
        base = ForeignKeyField(Base, on_delete="RESTRICT")
        listing = ForeignKeyField(Listing, on_delete="RESTRICT")
        ground = CharField(max_length=20)
        reason = TextField()
        leaves_on = DateField(null=True)
        cause_id = UUIDField(null=True, index=True)
        status = CharField(max_length=20)
        open = BooleanField()
        begun_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "exit"

    Exit.add_index(Exit.index(Exit.listing, unique=True, name="exit_open", where=Exit.open))
    db.create_tables([Exit])

    class TaughtOut(Model):
        id = UUIDField(primary_key=True)
        exit = ForeignKeyField(Exit, on_delete="RESTRICT")
        training_class = ForeignKeyField(TrainingClass, on_delete="RESTRICT")
        way = CharField(max_length=20, null=True)
        to_base = ForeignKeyField(Base, null=True, on_delete="RESTRICT")
        moved = IntegerField()
        reason = TextField()
        decided_on = DateField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "taught_out"
            indexes = ((("exit", "training_class"), True),)

    db.create_tables([TaughtOut])

    class Appeal(Model):
        id = UUIDField(primary_key=True)
        base = ForeignKeyField(Base, on_delete="RESTRICT")
        subject = CharField(max_length=20)
        subject_id = UUIDField(index=True)
        decision_id = UUIDField(unique=True)
        grounds = TextField()
        status = CharField(max_length=20)
        filed_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "appeal"

    db.create_tables([Appeal])


def down(migrator, db):
    for table in ("appeal", "taught_out", "exit", "sanction", "restriction"):
        migrator.migrate(migrator.drop_table(table))
