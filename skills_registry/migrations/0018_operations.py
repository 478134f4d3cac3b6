"""Operations: gaps in the series of numbers, confirmed after a database was put back.

Frozen: later changes are migrations of their own.
"""

from peewee import CharField, DateTimeField, IntegerField, Model, UUIDField


def up(migrator, db):
    class NumberGap(Model):
        id = UUIDField(primary_key=True)
        series = CharField(max_length=60)
        first = IntegerField()
        last = IntegerField()
        confirmed_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "number_gap"

    db.create_tables([NumberGap])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("number_gap"))
