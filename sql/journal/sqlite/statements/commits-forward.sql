-- ?1 stream_id, ?2 first version, ?3 last version, both inclusive
select version, position, committed_at, txn_id, hash, body
from journal where stream_id = ?1 and version between ?2 and ?3
order by version;
