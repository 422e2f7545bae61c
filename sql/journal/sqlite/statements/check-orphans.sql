-- Rows of agents that are not there, table by table.
select 'commits', count(*) from journal where stream_id not in (select stream_id from stream)
union all
select 'snapshots', count(*) from snapshot where stream_id not in (select stream_id from stream)
union all
select 'index rows', count(*) from agent_index where stream_id not in (select stream_id from stream)
union all
select 'facets', count(*) from agent_facet where stream_id not in (select stream_id from agent_index);
