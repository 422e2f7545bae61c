-- ?1 stream_id
select group_name, labels from agent_index where stream_id = ?1;
