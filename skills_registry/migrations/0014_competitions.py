"""Certificates that stand on no enrolment, and the competitions that give such awards.

Frozen: later changes are migrations of their own. No row changes, so every certificate and code stays
valid byte for byte. SQLite can loosen a column only by making the table again: foreign keys are judged
at the end of the transaction meanwhile.
"""

from peewee import (
    BlobField,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    DecimalField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    Model,
    SqliteDatabase,
    UUIDField,
)

GROUND = ("enrolment_id", "training_class_id", "base_id")


def known(db, name):
    class Meta:
        database = db
        legacy_table_names = False
        table_name = name

    return type(name.title().replace("_", ""), (Model,), {"id": UUIDField(primary_key=True), "Meta": Meta})


def certificates(db, name, *, awards):
    """The table as it is with awards, or as it was before."""

    class Certificate(Model):
        id = UUIDField(primary_key=True)
        statement_id = BlobField(unique=True)
        number = CharField(max_length=30, unique=True)
        division_code = CharField(max_length=6)
        year = IntegerField()
        serial = IntegerField()
        kind = CharField(max_length=30)
        enrolment = ForeignKeyField(known(db, "enrolment"), null=awards, on_delete="RESTRICT")
        training_class = ForeignKeyField(known(db, "training_class"), null=awards, on_delete="RESTRICT")
        person = ForeignKeyField(known(db, "person"), on_delete="RESTRICT")
        base = ForeignKeyField(known(db, "base"), null=awards, on_delete="RESTRICT")
        name = BlobField()
        template = CharField(max_length=60)
        base_name = CharField(max_length=120)
        subject = CharField(max_length=120)
        occupation_edition = CharField(max_length=4)
        occupation_code = CharField(max_length=12)
        level = CharField(max_length=30)
        class_hours = IntegerField()
        starts_on = DateField()
        ends_on = DateField()
        issued_on = DateField()
        expires_on = DateField(null=True)
        registered_with = CharField(max_length=120)
        status_index = IntegerField(unique=True)
        statement = BlobField(unique=True)
        key_id = BlobField()
        signature = BlobField()
        status = CharField(max_length=20)
        replaces = ForeignKeyField("self", unique=True, null=True, on_delete="RESTRICT")
        issued_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = name
            indexes = ((("division_code", "year", "serial"), True),)

    Certificate.add_index(
        Certificate.index(
            Certificate.enrolment,
            Certificate.kind,
            unique=True,
            name="certificate_standing",
            where=(Certificate.status != "superseded"),
        )
    )
    if awards:
        for field, column in award_columns().items():
            Certificate._meta.add_field(field, column)
        Certificate.add_index(award_index(Certificate))
    return Certificate


def award_columns():
    return {
        "entry_id": UUIDField(null=True),
        "competition": CharField(max_length=120, null=True),
        "prize": CharField(max_length=40, null=True),
    }


def award_index(table):
    standing = (table.status != "superseded") & (table.status != "revoked")
    return table.index(table.entry_id, unique=True, name="certificate_award", where=standing)


def make_again(db, *, awards):
    """SQLite's certificates in a table made anew, row for row."""
    db.execute_sql("PRAGMA defer_foreign_keys = ON")
    fresh = certificates(db, "certificate_made_again", awards=awards)
    fresh._schema.create_table(safe=False)  # noqa: SLF001 - without its indexes, whose names are taken
    standing = certificates(db, "certificate", awards=False)
    kept = [field.name for field in standing._meta.sorted_fields]
    rows = standing.select(*(getattr(standing, name) for name in kept))
    fresh.insert_from(rows, [getattr(fresh, name) for name in kept]).execute()
    db.execute_sql("DROP TABLE certificate")
    db.execute_sql("ALTER TABLE certificate_made_again RENAME TO certificate")
    certificates(db, "certificate", awards=awards)._schema.create_indexes(safe=False)  # noqa: SLF001


def contests(db):
    """The tables of competitions and their events."""

    class Competition(Model):
        id = UUIDField(primary_key=True)
        kind = CharField(max_length=30)
        title = CharField(max_length=120)
        public_title = CharField(max_length=120)
        organiser = CharField(max_length=120)
        division_code = CharField(max_length=6, index=True)
        place = CharField(max_length=120)
        funding_source = CharField(max_length=40)
        entries_until = DateField()
        eligible_on = DateField()
        starts_on = DateField()
        ends_on = DateField()
        status = CharField(max_length=20)
        drafted_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "competition"

    class CompetitionEvent(Model):
        id = UUIDField(primary_key=True)
        competition = ForeignKeyField(Competition, on_delete="RESTRICT")
        subject = CharField(max_length=60)
        ranked = BooleanField()
        better = CharField(max_length=10)
        tie_rule = CharField(max_length=80)
        tie_better = CharField(max_length=10)
        rules = JSONField(null=True)
        entrants = IntegerField(null=True)
        status = CharField(max_length=20)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "competition_event"
            indexes = ((("competition", "subject"), True),)

    return Competition, CompetitionEvent


def results(db, event_table):
    """The tables of entries in an event and their scores."""

    class CompetitionEntry(Model):
        id = UUIDField(primary_key=True)
        event = ForeignKeyField(event_table, on_delete="RESTRICT")
        person = ForeignKeyField(known(db, "person"), on_delete="RESTRICT")
        start_number = IntegerField()
        name = BlobField()
        team = CharField(max_length=60)
        team_division = CharField(max_length=6, index=True)
        publish = BooleanField()
        rank = IntegerField(null=True)
        prize = CharField(max_length=40, null=True)
        status = CharField(max_length=20)

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "competition_entry"
            indexes = ((("event", "start_number"), True),)

    CompetitionEntry.add_index(
        CompetitionEntry.index(
            CompetitionEntry.event,
            CompetitionEntry.person,
            unique=True,
            name="competition_entry_standing",
            where=(CompetitionEntry.status != "withdrawn"),
        )
    )

    class EntryScore(Model):
        id = UUIDField(primary_key=True)
        entry = ForeignKeyField(CompetitionEntry, on_delete="RESTRICT")
        outcome = CharField(max_length=20)
        score = DecimalField(max_digits=10, decimal_places=3, null=True)
        tie_break = DecimalField(max_digits=10, decimal_places=3, null=True)
        current = BooleanField()
        recorded_at = DateTimeField()

        class Meta:
            database = db
            legacy_table_names = False
            table_name = "entry_score"

    EntryScore.add_index(
        EntryScore.index(EntryScore.entry, unique=True, name="entry_score_current", where=EntryScore.current)
    )
    return CompetitionEntry, EntryScore


def up(migrator, db):
    competition, event = contests(db)
    db.create_tables([competition, event, *results(db, event)])
    if isinstance(db, SqliteDatabase):
        make_again(db, awards=True)
    else:
        migrator.migrate(*(migrator.drop_not_null("certificate", column) for column in GROUND))
        columns = award_columns()
        migrator.migrate(*(migrator.add_column("certificate", name, columns[name]) for name in columns))
        db.execute_sql(
            'CREATE UNIQUE INDEX "certificate_award" ON "certificate" ("entry_id")'
            " WHERE (status <> 'superseded' AND status <> 'revoked')"
        )


def down(migrator, db):
    for table in ("entry_score", "competition_entry", "competition_event", "competition"):
        migrator.migrate(migrator.drop_table(table))
    if isinstance(db, SqliteDatabase):
        make_again(db, awards=False)
    else:
        migrator.migrate(migrator.drop_index("certificate", "certificate_award"))
        migrator.migrate(*(migrator.drop_column("certificate", name) for name in award_columns()))
        migrator.migrate(*(migrator.add_not_null("certificate", column) for column in GROUND))
