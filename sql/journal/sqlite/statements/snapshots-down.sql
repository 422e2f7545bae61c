-- ?1 stream_id, ?2 greatest version
select version, hash, checksum, body from snapshot
where stream_id = ?1 and version <= ?2
order by version desc;
