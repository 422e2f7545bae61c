-- ?1 kind, ?2 namespace, ?3 name
select stream_id from stream where kind = ?1 and namespace = ?2 and name = ?3;
