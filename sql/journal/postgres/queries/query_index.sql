-- $1 kind, $2 namespace, $3 statuses (empty = all), $4 group, $5 labels (all of them), $6/$7 started from/to, $8/$9 updated
-- from/to, $10 due at most, $11/$12 after this value and name, $13 limit. A null holds always; from is inclusive, to is
-- not. The three words in braces are constants of SqlText: the ordering column, its direction, and what lies beyond.
-- Never prepared: planned with its values, the tests for null vanish, and the server can tell a rare label from a
-- common one. Each status is read by itself, in order, up to the limit; the outer sort merges so many rows at most.
with recursive used(status) as (
  select min(status) from statehouse.agent_index where kind = $1 and namespace = $2
  union all
  select (select min(a.status) from statehouse.agent_index as a
          where a.kind = $1 and a.namespace = $2 and a.status > used.status)
  from used where used.status is not null
), wanted(status) as (
  select status from used where cardinality($3::smallint[]) = 0 and status is not null
  union
  select unnest($3::smallint[])
)
select found.name, found.version, found.updated_at, found.status, found.group_name, found.labels,
       found.started_at, found.due_at, found.summary
from wanted
cross join lateral (
  select * from statehouse.agent_index as a
  where a.kind = $1 and a.namespace = $2 and a.status = wanted.status and a.{column} is not null
    and ($4::text is null or a.group_name = $4)
    and ($5::text[] is null or a.labels @> $5)
    and ($6::bigint is null or a.started_at >= $6) and ($7::bigint is null or a.started_at < $7)
    and ($8::bigint is null or a.updated_at >= $8) and ($9::bigint is null or a.updated_at < $9)
    and ($10::bigint is null or a.due_at <= $10)
    and ($11::bigint is null or (a.{column}, a.name) {beyond} ($11, $12))
  order by a.{column} {direction}, a.name {direction}
  limit $13) as found
order by found.{column} {direction}, found.name {direction}
limit $13
