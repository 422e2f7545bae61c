-- The barrier that a feed reader must not pass while this transaction runs: see docs/decisions/0003-feed-order.md.
-- Called before the transaction draws its first commit_ts, so that all numbers it draws are above the barrier.
-- The key holds 0x5348 in its upper 16 bits and the position in the other 48.
create function statehouse.raise_feed_barrier() returns void
language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared((21320::bigint << 48) | last_value) from statehouse.commit_ts;
end
$$;

-- Appends runs of commits, each to its own agent: a run goes in whole where the agent's journal ends exactly at
-- (version, hash), and not at all otherwise; no run hurts another.
--   new_*   the first cardinality(new_kind) runs create their agents; run_stream holds fresh row numbers for them
--   run_*   one element per run. run_version and run_hash: what the run was decided on. run_last: the position of its
--           last commit in commit_*. Runs that create come in the order of their names, the others in that of their
--           row numbers: two servers then take rows in one order and cannot block each other for good.
--   commit_*  one element per commit, run by run, versions ascending
-- Returns one commit_ts per commit, in the order given; 0 = its run did not match and nothing of it was written.
--
-- The settings pin the plan: one index probe per row in the order of the arrays, whatever the statistics say, planned
-- once. jit must be off because discouraging the other joins makes the plan look too expensive not to compile.
create function statehouse.append(
  new_kind smallint[], new_namespace text[], new_name text[],
  run_stream bigint[], run_version bigint[], run_hash bytea[], run_last integer[],
  commit_run integer[], commit_version bigint[], commit_time bigint[], commit_txn uuid[],
  commit_hash bytea[], commit_body bytea[]
) returns bigint[]
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan set jit = off
as $$
declare
  runs constant integer := cardinality(run_stream);
  creating constant integer := cardinality(new_kind);
  went_in boolean[] := array_fill(false, array[runs]);
  created bigint[];
  moved integer[];
  run integer;
  positions bigint[];
begin
  perform statehouse.raise_feed_barrier();

  if creating > 0 then
    with inserted as (
      insert into statehouse.stream (stream_id, kind, namespace, name, version, head_hash, first_version, updated_at)
      select run_stream[i], new_kind[i], new_namespace[i], new_name[i],
             commit_version[run_last[i]], commit_hash[run_last[i]], 1, commit_time[run_last[i]]
      from generate_series(1, creating) as i
      on conflict (kind, namespace, name) do nothing
      returning stream_id)
    select array_agg(stream_id) into created from inserted;
    for run in 1 .. creating loop
      went_in[run] := cardinality(created) = creating or coalesce(run_stream[run] = any (created), false);
    end loop;
  end if;

  if runs > creating then
    with updated as (
      update statehouse.stream as s
      set version = commit_version[run_last[i]], head_hash = commit_hash[run_last[i]], updated_at = commit_time[run_last[i]]
      from generate_series(creating + 1, runs) as i
      where s.stream_id = run_stream[i] and s.version = run_version[i] and s.head_hash = run_hash[i]
      returning i)
    select array_agg(i) into moved from updated;
    foreach run in array coalesce(moved, '{}') loop
      went_in[run] := true;
    end loop;
  end if;

  -- Only now are numbers drawn: every row that they are for is held, so they grow along each agent.
  select array_agg(case when went_in[commit_run[i]] then nextval('statehouse.commit_ts') else 0 end)
  into positions
  from generate_series(1, cardinality(commit_run)) as i;

  insert into statehouse.journal (stream_id, version, commit_ts, committed_at, txn_id, body, hash)
  select run_stream[commit_run[i]], commit_version[i], positions[i], commit_time[i], commit_txn[i], commit_body[i], commit_hash[i]
  from generate_series(1, cardinality(commit_run)) as i
  where positions[i] > 0;

  return positions;
end
$$;
