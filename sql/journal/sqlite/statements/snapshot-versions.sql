-- ?1 stream_id
select version from snapshot where stream_id = ?1 order by version;
