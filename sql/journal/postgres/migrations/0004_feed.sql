-- The feed: docs/decisions/0003-feed-order.md has the reasoning. The two reads below must be two statements, in this
-- order, and what reads commits up to the bound must be a third one, with a snapshot taken later.
create function statehouse.feed_bound() returns bigint
language plpgsql as $$
declare
  drawn bigint;
  barrier bigint;
begin
  if pg_is_in_recovery() then
    raise read_only_sql_transaction
      using message = 'The feed can only be read on the primary: a standby does not see which appends are running.';
  end if;
  select last_value into drawn from statehouse.commit_ts;
  select min(((classid::bigint & 65535) << 32) | objid::bigint)
  into barrier
  from pg_locks
  where locktype = 'advisory' and objsubid = 1 and classid::bigint >> 16 = 21320
    and database = (select oid from pg_database where datname = current_database());
  return least(drawn, barrier);
end
$$;

-- The newest commit_ts through which the feed is complete; 0 = none. Always one that a durable commit carries, never
-- merely a number that was drawn: after a crash the sequence may hand out again what nobody committed.
create function statehouse.feed_end() returns bigint
language plpgsql set enable_seqscan = off set jit = off as $$
declare
  bound constant bigint := statehouse.feed_bound();
begin
  return coalesce((select max(commit_ts) from statehouse.journal where commit_ts <= bound), 0);
end
$$;

-- Where a page of the feed ends that starts after a position: through, inclusive, and whether that is the feed's end.
--   row_limit    commits wanted; a transaction that crosses it stays whole
--   byte_limit   bytes of bodies; the first transaction is taken whatever its size
--   scan_limit   commits to look at for those of one namespace
--   in_namespace only that one; null = all
create function statehouse.feed_window(
  after bigint, row_limit bigint, byte_limit bigint, scan_limit bigint, in_namespace text, out through bigint, out at_end boolean)
language plpgsql
set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
declare
  feed_end constant bigint := statehouse.feed_end();
  looked_through bigint;
  found_rows bigint;
  found_first bigint;
  found_last bigint;
  fitting_last bigint;
begin
  if feed_end <= after then
    through := after;
    at_end := true;
    return;
  end if;

  select max(commit_ts) into looked_through
  from (select commit_ts from statehouse.journal
        where commit_ts > after and commit_ts <= feed_end
        order by commit_ts
        fetch first (case when in_namespace is null then row_limit else scan_limit end) rows with ties) as looked_at;

  select count(*), min(commit_ts), max(commit_ts), max(commit_ts) filter (where bytes_so_far <= byte_limit)
  into found_rows, found_first, found_last, fitting_last
  from (select commit_ts, sum(bytes) over (order by commit_ts) as bytes_so_far
        from (select j.commit_ts, octet_length(j.body) as bytes
              from statehouse.journal as j
              where j.commit_ts > after and j.commit_ts <= looked_through
                and (in_namespace is null
                     or in_namespace = (select s.namespace from statehouse.stream as s where s.stream_id = j.stream_id))
              order by j.commit_ts
              fetch first row_limit rows with ties) as found) as summed;

  if found_rows < row_limit and found_last is not distinct from fitting_last then
    through := looked_through;
  else
    through := coalesce(fitting_last, found_first);
  end if;
  at_end := through >= feed_end;
end
$$;

-- The commits of a window, transaction by transaction, in each by agent. The window is complete, so any later
-- snapshot shows the same.
create function statehouse.feed_page(after bigint, through bigint, in_namespace text)
returns table (commit_ts bigint, kind smallint, namespace text, name text,
               version bigint, committed_at bigint, txn_id uuid, hash bytea, body bytea)
language sql stable
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
  select j.commit_ts, s.kind, s.namespace, s.name, j.version, j.committed_at, j.txn_id, j.hash, j.body
  from statehouse.journal as j
  join statehouse.stream as s on s.stream_id = j.stream_id
  where j.commit_ts > feed_page.after and j.commit_ts <= feed_page.through
    and (feed_page.in_namespace is null or s.namespace = feed_page.in_namespace)
  order by j.commit_ts, s.kind, s.namespace, s.name, j.version
$$;
