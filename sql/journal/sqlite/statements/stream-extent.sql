-- ?1 stream_id
select first_version, version, head_hash from stream where stream_id = ?1;
