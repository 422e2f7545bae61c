-- Before commits go. ?1 stream_id
update high_water
set stream_id = max(stream_id, ?1), position = max(position, (select max(position) from journal));
