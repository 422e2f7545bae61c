-- ?1 stream_id, ?2 version, ?3 hash, ?4 checksum, ?5 body. Changes no row where the journal holds no such commit.
insert or replace into snapshot (stream_id, version, hash, checksum, body)
select ?1, ?2, ?3, ?4, ?5 from journal where stream_id = ?1 and version = ?2 and hash = ?3;
