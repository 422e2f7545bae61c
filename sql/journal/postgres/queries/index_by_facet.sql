-- A page of all agents that have a rare facet, $15. The other parameters as in index_in_order.sql.
select i.name, i.version, i.updated_at, i.status, i.group_name, i.labels, i.started_at, i.due_at, i.summary
from statehouse.agent_facet as f
join statehouse.agent_index as i on i.stream_id = f.stream_id
where f.kind = $1 and f.namespace = $2 and f.facet = $15
  and (cardinality($14::smallint[]) = 0 or i.status = any ($14))
  and (i.{column}, i.name) {beyond} ($3, $4) and i.{column} {within} $5
  and i.started_at >= $6 and i.started_at < $7 and i.updated_at >= $8 and i.updated_at < $9
  and ($10::bigint is null or i.due_at <= $10)
  and ($11::text is null or i.group_name = $11) and i.labels @> $12
order by i.{column} {direction}, i.name {direction}
limit $13
