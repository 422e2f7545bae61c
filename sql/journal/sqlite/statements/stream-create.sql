-- ?1 kind, ?2 namespace, ?3 name, ?4 version, ?5 head_hash, ?6 updated_at. Changes no row where the agent exists.
insert into stream (stream_id, kind, namespace, name, version, head_hash, first_version, updated_at)
select max((select stream_id from high_water), coalesce((select max(stream_id) from stream), 0)) + 1, ?1, ?2, ?3, ?4, ?5, 1, ?6
where true
on conflict do nothing;
