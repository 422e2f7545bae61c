-- ?1 stream_id
delete from snapshot where stream_id = ?1;
