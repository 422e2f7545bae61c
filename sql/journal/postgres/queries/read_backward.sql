-- As read_forward.sql, newest first. What each commit chains on is the next row's hash, so it is looked up for the last
-- row alone.
select version, commit_ts, committed_at, txn_id, hash, body,
       case when version = min(version) over () then
         (select p.hash from statehouse.journal as p where p.stream_id = $1 and p.version = page.version - 1)
       end as previous_hash
from (select *, sum(octet_length(body)) over (order by version desc rows unbounded preceding) - octet_length(body) as bytes_before
      from statehouse.journal
      where stream_id = $1 and version between $2 and $3
      order by version desc
      limit $4) as page
where bytes_before < $5
order by version desc
