-- The fence. ?1 new version, ?2 new head_hash, ?3 updated_at, ?4 stream_id, ?5 expected version, ?6 expected head_hash.
-- Changes no row where the journal does not end exactly there.
update stream set version = ?1, head_hash = ?2, updated_at = ?3
where stream_id = ?4 and version = ?5 and head_hash = ?6;
