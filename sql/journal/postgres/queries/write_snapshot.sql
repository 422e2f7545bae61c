-- $1 stream_id, $2 version, $3 hash, $4 checksum, $5 body. Changes no row where the journal holds no such commit: it never
-- did, or the agent was removed. The lock keeps a removal waiting, and hinders no append.
insert into statehouse.snapshot (stream_id, version, hash, checksum, body)
select s.stream_id, $2, $3, $4, $5
from statehouse.stream as s
where s.stream_id = $1
  and exists (select from statehouse.journal as j where j.stream_id = $1 and j.version = $2 and j.hash = $3)
for key share of s
on conflict (stream_id, version) do update set hash = excluded.hash, checksum = excluded.checksum, body = excluded.body
