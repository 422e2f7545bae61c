-- $1 stream_id, $2 at most
select version, hash, checksum, body
from statehouse.snapshot
where stream_id = $1 and version <= $2
order by version desc
limit 1
