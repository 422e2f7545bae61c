-- $1 kind, $2 namespace
select status, count(*) from statehouse.agent_index where kind = $1 and namespace = $2 group by status
