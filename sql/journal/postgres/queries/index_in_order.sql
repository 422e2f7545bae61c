-- $1 kind, $2 namespace, $3 and $4 the value and name beyond which the page begins, $5 where the ordering value ends,
-- $6 and $7 started from and to, $8 and $9 updated from and to, $10 due at most, $11 group (null = any), $12 labels (all
-- of them), $13 limit, $14 statuses (empty = all). The words in braces are constants of PostgresIndexTexts. Each status is read
-- by itself along its index, up to the limit; the outer sort merges so many rows at most.
with recursive used(status) as (
  select min(status) from statehouse.agent_index where kind = $1 and namespace = $2
  union all
  select (select min(i.status) from statehouse.agent_index as i
          where i.kind = $1 and i.namespace = $2 and i.status > used.status)
  from used where used.status is not null
), wanted(status) as (
  select status from used where cardinality($14::smallint[]) = 0 and status is not null
  union
  select unnest($14::smallint[])
)
select found.name, found.version, found.updated_at, found.status, found.group_name, found.labels,
       found.started_at, found.due_at, found.summary
from wanted
cross join lateral (
  select * from statehouse.agent_index as i
  where i.kind = $1 and i.namespace = $2 and i.status = wanted.status
    and (i.{column}, i.name) {beyond} ($3, $4) and i.{column} {within} $5 and i.{column} is not null
    and i.started_at >= $6 and i.started_at < $7 and i.updated_at >= $8 and i.updated_at < $9
    and ($10::bigint is null or i.due_at <= $10)
    and ($11::text is null or i.group_name = $11) and i.labels @> $12
  order by i.{column} {direction}, i.name {direction}
  limit $13) as found
order by found.{column} {direction}, found.name {direction}
limit $13
