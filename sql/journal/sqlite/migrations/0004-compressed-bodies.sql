-- From here on, journal.body and snapshot.body may be compressed: the first byte says so (src/Journal.Sqlite/StoredBody.cs).
-- No table changes, and bodies written before stay as they are. The number alone matters: a version that would take a
-- compressed body for JSON refuses the database.
select 1;
