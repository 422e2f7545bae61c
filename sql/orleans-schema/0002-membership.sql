-- Which silos a cluster has. DeploymentId is Orleans' ClusterId: one table holds any number of clusters.

-- One row per cluster. Its version counts the changes of the cluster's membership, and a change goes in only where it
-- was decided on the version that stands here: every change locks this row first, so changes have one order.
create table statehouse_orleans.OrleansMembershipVersionTable (
  DeploymentId text        collate "C" not null primary key,
  Version      integer     not null default 0,
  Timestamp    timestamptz not null default now()          -- of the last change
);

-- One row per silo process: an address that starts again has a new generation.
create table statehouse_orleans.OrleansMembershipTable (
  DeploymentId text        collate "C" not null
               references statehouse_orleans.OrleansMembershipVersionTable on delete cascade,
  Address      text        collate "C" not null,
  Port         integer     not null,
  Generation   integer     not null,
  SiloName     text        not null,
  HostName     text        not null,
  Status       integer     not null,                       -- Orleans' SiloStatus: 2 joining, 3 active, 6 dead
  ProxyPort    integer     not null,                       -- where clients connect; 0 = nowhere
  SuspectTimes text,                                       -- votes of other silos, as Orleans writes them
  StartTime    timestamptz not null,
  IAmAliveTime timestamptz not null,
  primary key (DeploymentId, Address, Port, Generation)
);

-- Adds a silo. False, and nothing is changed, where the version moved on or the silo has a row already.
create function statehouse_orleans.insert_membership(
  cluster text, silo_address text, silo_port integer, silo_generation integer, silo_name text, host_name text,
  silo_status integer, proxy_port integer, start_time timestamptz, alive_time timestamptz, expected_version integer
) returns boolean
language plpgsql as $$
begin
  perform 1 from statehouse_orleans.OrleansMembershipVersionTable
  where DeploymentId = cluster and Version = expected_version
  for update;
  if not found then
    return false;
  end if;

  insert into statehouse_orleans.OrleansMembershipTable (
    DeploymentId, Address, Port, Generation, SiloName, HostName, Status, ProxyPort, StartTime, IAmAliveTime)
  values (
    cluster, silo_address, silo_port, silo_generation, silo_name, host_name, silo_status, proxy_port, start_time, alive_time)
  on conflict do nothing;
  if not found then
    return false;
  end if;

  update statehouse_orleans.OrleansMembershipVersionTable
  set Version = expected_version + 1, Timestamp = now()
  where DeploymentId = cluster;
  return true;
end
$$;

-- Changes a silo's row. False, and nothing is changed, where the version moved on or the silo has no row.
create function statehouse_orleans.update_membership(
  cluster text, silo_address text, silo_port integer, silo_generation integer,
  silo_status integer, suspect_times text, alive_time timestamptz, expected_version integer
) returns boolean
language plpgsql as $$
begin
  perform 1 from statehouse_orleans.OrleansMembershipVersionTable
  where DeploymentId = cluster and Version = expected_version
  for update;
  if not found then
    return false;
  end if;

  update statehouse_orleans.OrleansMembershipTable
  set Status = silo_status, SuspectTimes = suspect_times, IAmAliveTime = alive_time
  where DeploymentId = cluster and Address = silo_address and Port = silo_port and Generation = silo_generation;
  if not found then
    return false;
  end if;

  update statehouse_orleans.OrleansMembershipVersionTable
  set Version = expected_version + 1, Timestamp = now()
  where DeploymentId = cluster;
  return true;
end
$$;

insert into statehouse_orleans.OrleansQuery (QueryKey, QueryText) values
-- One boolean: was the cluster new?
('InsertMembershipVersionKey', $query$
with inserted as (
  insert into statehouse_orleans.OrleansMembershipVersionTable (DeploymentId) values (@DeploymentId)
  on conflict do nothing
  returning 1)
select exists (select from inserted)
$query$),

-- One boolean: was it added?
('InsertMembershipKey', $query$
select statehouse_orleans.insert_membership(
  @DeploymentId, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime, @Version)
$query$),

-- One boolean: was it changed?
('UpdateMembershipKey', $query$
select statehouse_orleans.update_membership(
  @DeploymentId, @Address, @Port, @Generation, @Status, @SuspectTimes, @IAmAliveTime, @Version)
$query$),

-- A sign of life is no change of the membership: it moves no version.
('UpdateIAmAlivetimeKey', $query$
update statehouse_orleans.OrleansMembershipTable
set IAmAliveTime = @IAmAliveTime
where DeploymentId = @DeploymentId and Address = @Address and Port = @Port and Generation = @Generation
$query$),

-- Version and rows must be of one moment, hence one statement. A cluster without silos is one row whose StartTime is null.
('MembershipReadAllKey', $query$
select v.Version, m.Address, m.Port, m.Generation, m.SiloName, m.HostName, m.Status, m.ProxyPort, m.SuspectTimes,
       m.StartTime, m.IAmAliveTime
from statehouse_orleans.OrleansMembershipVersionTable as v
left join statehouse_orleans.OrleansMembershipTable as m using (DeploymentId)
where DeploymentId = @DeploymentId
$query$),

-- The same of one silo.
('MembershipReadRowKey', $query$
select v.Version, m.Address, m.Port, m.Generation, m.SiloName, m.HostName, m.Status, m.ProxyPort, m.SuspectTimes,
       m.StartTime, m.IAmAliveTime
from statehouse_orleans.OrleansMembershipVersionTable as v
left join statehouse_orleans.OrleansMembershipTable as m
  on m.DeploymentId = v.DeploymentId and m.Address = @Address and m.Port = @Port and m.Generation = @Generation
where v.DeploymentId = @DeploymentId
$query$),

-- Where clients connect; @Status is active.
('GatewaysQueryKey', $query$
select Address, ProxyPort, Generation
from statehouse_orleans.OrleansMembershipTable
where DeploymentId = @DeploymentId and Status = @Status and ProxyPort > 0
$query$),

-- Rows of silos that neither serve (3 is active) nor showed life after @IAmAliveTime. To keep only the newest of the
-- dead, Orleans passes the time of the newest one to go plus 100 ns, which is cut off here: hence "at or before".
('CleanupDefunctSiloEntriesKey', $query$
delete from statehouse_orleans.OrleansMembershipTable
where DeploymentId = @DeploymentId and Status <> 3 and greatest(IAmAliveTime, StartTime) <= @IAmAliveTime
$query$),

-- The silos' rows go with the cluster's.
('DeleteMembershipTableEntriesKey', $query$
delete from statehouse_orleans.OrleansMembershipVersionTable
where DeploymentId = @DeploymentId
$query$);
