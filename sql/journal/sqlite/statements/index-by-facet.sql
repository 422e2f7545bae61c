-- A page of all agents that have a rare facet, ?14. The other parameters as in index-in-order.sql, but ?3: statuses (JSON
-- array, null = any).
select i.name, i.version, i.updated_at, i.status, i.group_name, i.labels, i.started_at, i.due_at, i.summary,
  i.checksum
from agent_facet f cross join agent_index i on i.stream_id = f.stream_id
where f.kind = ?1 and f.namespace = ?2 and f.facet = ?14
  and (?3 is null or i.status in (select value from json_each(?3)))
  and (i.{column}, i.name) {beyond} (?4, ?5) and i.{column} {within} ?6
  and i.started_at >= ?7 and i.started_at < ?8 and i.updated_at >= ?9 and i.updated_at < ?10
  and (?11 is null or i.due_at <= ?11)
  and (?15 is null or i.group_name = ?15)
  and (?12 is null or not exists (
    select 1 from json_each(?12) wanted
    where not exists (select 1 from agent_facet g
                      where g.kind = ?1 and g.namespace = ?2 and g.facet = wanted.value and g.stream_id = i.stream_id)))
order by i.{column} {direction}, i.name {direction}
limit ?13;
