-- The fence of a removal. ?1 stream_id, ?2 expected version, ?3 expected head_hash. Changes no row where the journal does
-- not end exactly there.
delete from stream where stream_id = ?1 and version = ?2 and head_hash = ?3;
