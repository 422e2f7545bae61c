-- ?1 kind, ?2 namespace, ?3 facet, ?4 counted no further than this
select count(*) from (select 1 from agent_facet where kind = ?1 and namespace = ?2 and facet = ?3 limit ?4);
