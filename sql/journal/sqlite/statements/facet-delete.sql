-- ?1 kind, ?2 namespace, ?3 facet, ?4 stream_id
delete from agent_facet where kind = ?1 and namespace = ?2 and facet = ?3 and stream_id = ?4;
