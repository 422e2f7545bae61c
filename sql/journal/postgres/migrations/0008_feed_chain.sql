-- As in 0004_feed.sql, and beside each commit what it is checked against: the hash of the one before it, and the oldest
-- one that is kept, before which there is none. A server of the version before names the columns that it wants, and goes
-- on getting them.
drop function statehouse.feed_page(bigint, bigint, text);

create function statehouse.feed_page(after bigint, through bigint, in_namespace text)
returns table (commit_ts bigint, kind smallint, namespace text, name text,
               version bigint, committed_at bigint, txn_id uuid, hash bytea, body bytea,
               first_version bigint, previous_hash bytea)
language sql stable
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
  select j.commit_ts, s.kind, s.namespace, s.name, j.version, j.committed_at, j.txn_id, j.hash, j.body, s.first_version,
         (select p.hash from statehouse.journal as p where p.stream_id = j.stream_id and p.version = j.version - 1)
  from statehouse.journal as j
  join statehouse.stream as s on s.stream_id = j.stream_id
  where j.commit_ts > feed_page.after and j.commit_ts <= feed_page.through
    and (feed_page.in_namespace is null or s.namespace = feed_page.in_namespace)
  order by j.commit_ts, s.kind, s.namespace, s.name, j.version
$$;
