-- ?1 stream_id, ?2 version
select position, committed_at from journal where stream_id = ?1 and version = ?2;
