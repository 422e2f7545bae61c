-- ?1 stream_id
select count(*) from stream where stream_id = ?1;
