-- $1 kind, $2 namespace, $3 names from here (inclusive), $4 names before this one (null = no end), $5 names after this
-- one (null = from the first), $6 limit. Never prepared: planned with its values, the tests for null vanish and what is
-- left bounds the index scan on both sides. The inner limits keep each head a single probe of the primary key.
select s.name, s.version, j.commit_ts, j.committed_at, s.head_hash, s.first_version
from (select * from statehouse.stream
      where kind = $1 and namespace = $2 and name >= $3
        and ($4::text is null or name < $4) and ($5::text is null or name > $5)
      order by name
      limit $6) as s
left join lateral (select commit_ts, committed_at from statehouse.journal
                   where stream_id = s.stream_id and version = s.version
                   limit 1) as j on true
order by s.name
