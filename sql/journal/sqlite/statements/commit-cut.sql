-- ?1 stream_id, ?2 version, ?3 body
update journal set body = ?3 where stream_id = ?1 and version = ?2;
