-- A page of one status, along the index of its order. ?1 kind, ?2 namespace, ?3 status, ?4 and ?5 value and name beyond
-- which it begins, ?6 where the ordering value ends, ?7 and ?8 started from and to, ?9 and ?10 updated from and to,
-- ?11 due at most, ?12 the labels' facets (JSON array, null = any), ?13 limit, ?15 group (null = any). The words in braces are constants of SqliteIndexTexts. The
-- plus signs keep the planner from walking along another bound than the page's.
select i.name, i.version, i.updated_at, i.status, i.group_name, i.labels, i.started_at, i.due_at, i.summary,
  i.checksum
from agent_index i indexed by agent_index_{column}
where i.kind = ?1 and i.namespace = ?2 and i.status = ?3
  and (i.{column}, i.name) {beyond} (?4, ?5) and i.{column} {within} ?6
  and +i.started_at >= ?7 and +i.started_at < ?8 and +i.updated_at >= ?9 and +i.updated_at < ?10
  and (?11 is null or +i.due_at <= ?11)
  and (?15 is null or i.group_name = ?15)
  and (?12 is null or not exists (
    select 1 from json_each(?12) wanted
    where not exists (select 1 from agent_facet f
                      where f.kind = ?1 and f.namespace = ?2 and f.facet = wanted.value and f.stream_id = i.stream_id)))
order by i.{column} {direction}, i.name {direction}
limit ?13;
