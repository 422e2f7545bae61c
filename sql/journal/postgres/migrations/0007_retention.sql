-- Removes agents with all that is kept of them, each where its journal still ends exactly at (version, hash); the others
-- are left alone. Found by name, so that a row number from before a removal cannot reach a later agent of that name.
-- Returns the positions, in the arrays, of those that were removed.
--
-- Rows of stream are held first, in the order in which appends take them, and everything below is a statement of its own
-- with a later snapshot: an append that was in flight has either moved the version, or waits for the row and finds none;
-- and what the last append wrote is seen and removed, too.
create function statehouse.delete_agents(
  agent_kind smallint[], agent_namespace text[], agent_name text[], agent_version bigint[], agent_hash bytea[]
) returns integer[]
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan set jit = off
as $$
declare
  gone bigint[];
  removed integer[];
begin
  select array_agg(held.stream_id), array_agg(held.i) into gone, removed
  from (select s.stream_id, i
        from generate_series(1, cardinality(agent_kind)) as i
        join statehouse.stream as s on s.kind = agent_kind[i] and s.namespace = agent_namespace[i] and s.name = agent_name[i]
        where s.version = agent_version[i] and s.head_hash = agent_hash[i]
        order by s.stream_id
        for update of s) as held;
  if gone is null then
    return '{}';
  end if;
  delete from statehouse.journal where stream_id = any (gone);
  delete from statehouse.snapshot where stream_id = any (gone);
  delete from statehouse.agent_index where stream_id = any (gone);
  delete from statehouse.stream where stream_id = any (gone);
  return removed;
end
$$;

-- As in 0004_feed.sql, but for one case: since commits can be removed, nothing may be left between the position and the
-- end that was read a moment before. Then that end is how far was looked.
create or replace function statehouse.feed_window(
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

  select coalesce(max(commit_ts), feed_end) into looked_through
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
