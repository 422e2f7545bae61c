select count(*) from journal where stream_id not in (select stream_id from stream);
