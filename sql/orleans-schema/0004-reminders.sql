-- Reminders: calls that a grain wants to get again and again, whether or not it is in memory.
create table statehouse_orleans.OrleansRemindersTable (
  ServiceId    text        collate "C" not null,
  GrainId      text        collate "C" not null,
  ReminderName text        collate "C" not null,
  StartTime    timestamptz not null,                       -- of the first call
  Period       bigint      not null,                       -- milliseconds
  GrainHash    integer     not null,                       -- Orleans' 32-bit hash of the grain, as a signed number
  Version      integer     not null,                       -- the ETag
  primary key (ServiceId, GrainId, ReminderName)
);

-- Each silo serves the reminders of a range of hashes.
create index OrleansRemindersTable_range on statehouse_orleans.OrleansRemindersTable (ServiceId, GrainHash);

insert into statehouse_orleans.OrleansQuery (QueryKey, QueryText) values
-- One row: the new version.
('UpsertReminderRowKey', $query$
insert into statehouse_orleans.OrleansRemindersTable as r (
  ServiceId, GrainId, ReminderName, StartTime, Period, GrainHash, Version)
values (@ServiceId, @GrainId, @ReminderName, @StartTime, @Period, @GrainHash, nextval('statehouse_orleans.etag'))
on conflict (ServiceId, GrainId, ReminderName) do update
set StartTime = excluded.StartTime, Period = excluded.Period, GrainHash = excluded.GrainHash, Version = excluded.Version
returning r.Version
$query$),

('ReadReminderRowsKey', $query$
select GrainId, ReminderName, StartTime, Period, Version
from statehouse_orleans.OrleansRemindersTable
where ServiceId = @ServiceId and GrainId = @GrainId
$query$),

('ReadReminderRowKey', $query$
select GrainId, ReminderName, StartTime, Period, Version
from statehouse_orleans.OrleansRemindersTable
where ServiceId = @ServiceId and GrainId = @GrainId and ReminderName = @ReminderName
$query$),

-- Hashes lie on a ring; a range begins behind @BeginHash and ends with @EndHash. This one does not pass the ring's end,
('ReadRangeRows1Key', $query$
select GrainId, ReminderName, StartTime, Period, Version
from statehouse_orleans.OrleansRemindersTable
where ServiceId = @ServiceId and GrainHash > @BeginHash and GrainHash <= @EndHash
$query$),

-- and this one does; where both are equal, it is the whole ring.
('ReadRangeRows2Key', $query$
select GrainId, ReminderName, StartTime, Period, Version
from statehouse_orleans.OrleansRemindersTable
where ServiceId = @ServiceId and (GrainHash > @BeginHash or GrainHash <= @EndHash)
$query$),

-- One boolean: was it there with that version?
('DeleteReminderRowKey', $query$
with deleted as (
  delete from statehouse_orleans.OrleansRemindersTable
  where ServiceId = @ServiceId and GrainId = @GrainId and ReminderName = @ReminderName and Version = @Version
  returning 1)
select exists (select from deleted)
$query$),

('DeleteReminderRowsKey', $query$
delete from statehouse_orleans.OrleansRemindersTable
where ServiceId = @ServiceId
$query$);
