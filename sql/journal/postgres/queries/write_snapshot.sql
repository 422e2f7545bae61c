-- $1 stream_id, $2 version, $3 hash, $4 checksum, $5 body
insert into statehouse.snapshot (stream_id, version, hash, checksum, body)
values ($1, $2, $3, $4, $5)
on conflict (stream_id, version) do update set hash = excluded.hash, checksum = excluded.checksum, body = excluded.body
