-- $1 stream_id, $2 from, $3 to (inclusive), $4 rows, $5 bytes. The first commit comes whatever its size; lengths are
-- read from the row itself, without fetching a body that is kept out of line. The last column is what the first commit
-- chains on: read once, since it depends on the parameters alone.
select version, commit_ts, committed_at, txn_id, hash, body,
       (select p.hash from statehouse.journal as p where p.stream_id = $1 and p.version = $2 - 1) as previous_hash
from (select *, sum(octet_length(body)) over (order by version rows unbounded preceding) - octet_length(body) as bytes_before
      from statehouse.journal
      where stream_id = $1 and version between $2 and $3
      order by version
      limit $4) as page
where bytes_before < $5
order by version
