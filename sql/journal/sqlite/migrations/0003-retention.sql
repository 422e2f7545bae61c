-- The greatest numbers that removed rows have had. Rows can go, numbers never come back: a follower of the feed goes on
-- after its position, and a row number that somebody still knows must not lead to another agent.
create table high_water (
  id        integer primary key check (id = 1),
  stream_id integer not null,
  position  integer not null
);

insert into high_water (id, stream_id, position) values (1, 0, 0);
