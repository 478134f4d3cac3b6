"""The catalogue of online training resources, with what the last check of each link found.

Frozen: later changes are migrations of their own.
"""

from peewee import BooleanField, CharField, DateField, DateTimeField, IntegerField, Model, UUIDField


def up(migrator, db):
    class Resource(Model):
        id = UUIDField(primary_key=True)
        division_code = CharField(max_length=6, index=True)
        title = CharField(max_length=120)
        summary = CharField(max_length=300)
        trade = CharField(max_length=60, index=True)
        url = CharField(max_length=500)
        provider = CharField(max_length=120)
        language = CharField(max_length=12)
        captions = BooleanField()
        sign_language = BooleanField()
        audio_description = BooleanField()
        text_version = BooleanField()
        status = CharField(max_length=20)
        version = IntegerField()
        entered_at = DateTimeField()
        checked_at = DateTimeField(null=True)
        outcome = CharField(max_length=20)
        http_status = IntegerField(null=True)
        failures = IntegerField()
        failing_since = DateField(null=True)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "resource"

    db.create_tables([Resource])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("resource"))
