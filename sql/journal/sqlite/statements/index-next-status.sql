-- ?1 kind, ?2 namespace, ?3 status, exclusive
select min(status) from agent_index where kind = ?1 and namespace = ?2 and status > ?3;
