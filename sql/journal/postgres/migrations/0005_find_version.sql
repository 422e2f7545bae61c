-- The newest kept version of one agent whose time (by_time) or commit_ts (otherwise) is at most a value; 0 = none.
-- Both grow along an agent, so this is a binary search over the primary key: about 20 probes for a million commits.
create function statehouse.find_version(stream bigint, by_time boolean, at_most bigint) returns bigint
language plpgsql stable
set enable_seqscan = off set jit = off
as $$
declare
  first bigint;
  low bigint;    -- no version above the result is at or below this one
  high bigint;   -- every version above this one is later than at_most
  middle bigint;
  seen bigint;
begin
  select s.first_version, s.first_version - 1, s.version into first, low, high
  from statehouse.stream as s where s.stream_id = stream;
  while low < high loop
    middle := low + (high - low + 1) / 2;
    select case when by_time then j.committed_at else j.commit_ts end into seen
    from statehouse.journal as j where j.stream_id = stream and j.version = middle;
    if seen <= at_most then
      low := middle;
    else
      high := middle - 1;
    end if;
  end loop;
  return case when low >= first then low else 0 end;
end
$$;
