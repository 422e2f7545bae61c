-- Appends units, each of one or more runs: a unit goes in whole where all its runs match, and not at all otherwise;
-- no unit hurts another. The arguments are those of statehouse.append, and besides:
--   run_unit       the unit of each run, 1, 2, 3, …
--   commit_number  which of the numbers to draw a commit gets; the commits of one transaction share one
--   number_unit    the unit that each number is for, in the order in which the numbers are to grow
-- Returns as statehouse.append does.
--
-- Rows are taken in the same order as there (agents that are created by name, then all others by row number), so the
-- two functions cannot block each other for good either.
create function statehouse.append_units(
  new_kind smallint[], new_namespace text[], new_name text[],
  run_stream bigint[], run_version bigint[], run_hash bytea[], run_last integer[],
  commit_run integer[], commit_version bigint[], commit_time bigint[], commit_txn uuid[],
  commit_hash bytea[], commit_body bytea[],
  run_unit integer[], commit_number integer[], number_unit integer[]
) returns bigint[]
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan set jit = off
as $$
declare
  runs constant integer := cardinality(run_stream);
  creating constant integer := cardinality(new_kind);
  matched boolean[] := array_fill(false, array[runs]);
  goes_in boolean[] := array_fill(true, array[(select max(unit) from unnest(run_unit) as unit)]);
  run integer;
  numbers bigint[];
  positions bigint[];
begin
  perform statehouse.raise_feed_barrier();

  -- Created at version 0, which no reader ever sees: below they move on or go away.
  insert into statehouse.stream (stream_id, kind, namespace, name, version, head_hash, first_version, updated_at)
  select run_stream[i], new_kind[i], new_namespace[i], new_name[i], 0, run_hash[i], 1, 0
  from generate_series(1, creating) as i
  on conflict (kind, namespace, name) do nothing;

  for run in
    select i
    from generate_series(1, runs) as i
    join statehouse.stream as s on s.stream_id = run_stream[i]
    where s.version = run_version[i] and s.head_hash = run_hash[i]
    order by s.stream_id
    for update of s
  loop
    matched[run] := true;
  end loop;
  for run in 1 .. runs loop
    goes_in[run_unit[run]] := goes_in[run_unit[run]] and matched[run];
  end loop;

  update statehouse.stream as s
  set version = commit_version[run_last[i]], head_hash = commit_hash[run_last[i]], updated_at = commit_time[run_last[i]]
  from generate_series(1, runs) as i
  where s.stream_id = run_stream[i] and goes_in[run_unit[i]];

  delete from statehouse.stream as s
  using generate_series(1, creating) as i
  where s.stream_id = run_stream[i] and not goes_in[run_unit[i]];

  select array_agg(case when goes_in[number_unit[i]] then nextval('statehouse.commit_ts') else 0 end)
  into numbers
  from generate_series(1, cardinality(number_unit)) as i;
  select array_agg(numbers[commit_number[i]])
  into positions
  from generate_series(1, cardinality(commit_run)) as i;

  insert into statehouse.journal (stream_id, version, commit_ts, committed_at, txn_id, body, hash)
  select run_stream[commit_run[i]], commit_version[i], positions[i], commit_time[i], commit_txn[i], commit_body[i], commit_hash[i]
  from generate_series(1, cardinality(commit_run)) as i
  where positions[i] > 0;

  return positions;
end
$$;
