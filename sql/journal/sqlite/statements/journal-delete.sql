-- ?1 stream_id
delete from journal where stream_id = ?1;
