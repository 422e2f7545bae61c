-- ?1 kind, ?2 namespace, ?3 facet, ?4 stream_id
insert or ignore into agent_facet (kind, namespace, facet, stream_id) values (?1, ?2, ?3, ?4);
