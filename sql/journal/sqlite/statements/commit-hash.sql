-- ?1 agent's row, ?2 version.
select hash from journal where stream_id = ?1 and version = ?2;
