-- ?1 stream_id, ?2 version
delete from snapshot where stream_id = ?1 and version = ?2;
