-- ?1 stream_id
delete from agent_index where stream_id = ?1;
