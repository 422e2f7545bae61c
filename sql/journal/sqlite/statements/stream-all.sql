-- ?1 stream_id, exclusive
select stream_id, kind, namespace, name from stream where stream_id > ?1 order by stream_id limit 1;
