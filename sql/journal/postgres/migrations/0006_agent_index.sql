-- What agents are found by, besides their name: docs/decisions/0011-index-retention-compression.md. One row per agent
-- that ever had a commit with an index row; written in the transaction of that commit.
create table statehouse.agent_index (
  stream_id     bigint   not null,
  kind          smallint not null,               -- as in stream, like namespace and name: they never change
  namespace     text     collate "C" not null,
  name          text     collate "C" not null,
  version       bigint   not null,               -- of the commit that wrote this row
  updated_at    bigint   not null,               -- its time: microseconds since 1970-01-01 UTC, as all times here
  status        smallint not null,
  group_name    text     collate "C" not null,   -- an execution's workflow
  labels        text[]   collate "C" not null,   -- name=value
  started_at    bigint   not null,
  due_at        bigint,                          -- from when on somebody must look after it; null = nobody need
  summary       bytea    not null,               -- UTF-8 JSON, what lists show
  constraint agent_index_pkey primary key (stream_id)
);

-- One per order. The status comes before the ordering value: a query looks into each status by itself and merges, so
-- that the few of a rare status are not looked for among all others.
create index agent_index_updated on statehouse.agent_index (kind, namespace, status, updated_at, name);
create index agent_index_started on statehouse.agent_index (kind, namespace, status, started_at, name);
create index agent_index_due on statehouse.agent_index (kind, namespace, status, due_at, name) where due_at is not null;
create index agent_index_group on statehouse.agent_index (kind, namespace, group_name, status);
create index agent_index_labels on statehouse.agent_index using gin (labels);

-- Writes the index rows of an append whose commits got these positions; those of commits that did not go in are left
-- out. The caller holds the agents' rows of stream, so nobody else writes the same index rows.
--   index_commit  the position in commit_* of the commit that carries the row; at most one per run
--   index_labels  each a text[] in its text form
create function statehouse.write_index(
  run_stream bigint[], commit_run integer[], commit_version bigint[], commit_time bigint[], positions bigint[],
  index_commit integer[], index_status smallint[], index_group text[], index_labels text[],
  index_started bigint[], index_due bigint[], index_summary bytea[]
) returns void
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
set plan_cache_mode = force_generic_plan set jit = off
as $$
begin
  insert into statehouse.agent_index (
    stream_id, kind, namespace, name, version, updated_at, status, group_name, labels, started_at, due_at, summary)
  select s.stream_id, s.kind, s.namespace, s.name, commit_version[index_commit[i]], commit_time[index_commit[i]],
         index_status[i], index_group[i], index_labels[i]::text[], index_started[i], index_due[i], index_summary[i]
  from generate_series(1, cardinality(index_commit)) as i
  join statehouse.stream as s on s.stream_id = run_stream[commit_run[index_commit[i]]]
  where positions[index_commit[i]] > 0
  on conflict (stream_id) do update
  set version = excluded.version, updated_at = excluded.updated_at, status = excluded.status,
      group_name = excluded.group_name, labels = excluded.labels, started_at = excluded.started_at,
      due_at = excluded.due_at, summary = excluded.summary;
end
$$;

-- As statehouse.append, and writes the index rows of what went in, in the same transaction. A function of its own, so
-- that appends without index rows run exactly what they ran before there were any.
create function statehouse.append_indexed(
  new_kind smallint[], new_namespace text[], new_name text[],
  run_stream bigint[], run_version bigint[], run_hash bytea[], run_last integer[],
  commit_run integer[], commit_version bigint[], commit_time bigint[], commit_txn uuid[],
  commit_hash bytea[], commit_body bytea[],
  index_commit integer[], index_status smallint[], index_group text[], index_labels text[],
  index_started bigint[], index_due bigint[], index_summary bytea[]
) returns bigint[]
language plpgsql
as $$
declare
  positions bigint[];
begin
  positions := statehouse.append(
    new_kind, new_namespace, new_name, run_stream, run_version, run_hash, run_last,
    commit_run, commit_version, commit_time, commit_txn, commit_hash, commit_body);
  perform statehouse.write_index(
    run_stream, commit_run, commit_version, commit_time, positions,
    index_commit, index_status, index_group, index_labels, index_started, index_due, index_summary);
  return positions;
end
$$;

-- As statehouse.append_units, and writes the index rows of what went in, in the same transaction.
create function statehouse.append_units_indexed(
  new_kind smallint[], new_namespace text[], new_name text[],
  run_stream bigint[], run_version bigint[], run_hash bytea[], run_last integer[],
  commit_run integer[], commit_version bigint[], commit_time bigint[], commit_txn uuid[],
  commit_hash bytea[], commit_body bytea[],
  run_unit integer[], commit_number integer[], number_unit integer[],
  index_commit integer[], index_status smallint[], index_group text[], index_labels text[],
  index_started bigint[], index_due bigint[], index_summary bytea[]
) returns bigint[]
language plpgsql
as $$
declare
  positions bigint[];
begin
  positions := statehouse.append_units(
    new_kind, new_namespace, new_name, run_stream, run_version, run_hash, run_last,
    commit_run, commit_version, commit_time, commit_txn, commit_hash, commit_body,
    run_unit, commit_number, number_unit);
  perform statehouse.write_index(
    run_stream, commit_run, commit_version, commit_time, positions,
    index_commit, index_status, index_group, index_labels, index_started, index_due, index_summary);
  return positions;
end
$$;
