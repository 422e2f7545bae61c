-- $1 stream_id, $2 from, $3 to (inclusive), $4 rows, $5 bytes. Bodies that hold a line feed at all; where the canonical part
-- of each ends, the client knows. The first one comes whatever its size.
select version, body
from (select version, body, sum(octet_length(body)) over (order by version rows unbounded preceding) - octet_length(body) as bytes_before
      from statehouse.journal
      where stream_id = $1 and version between $2 and $3 and position('\x0a'::bytea in body) > 0
      order by version
      limit $4) as page
where bytes_before < $5
order by version
