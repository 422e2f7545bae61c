-- The state of grains that keep it through Orleans' grain storage. Agents do not: their truth is the journal.

-- A grain is named by its type and by N0 and N1 (a number or a guid) or by a text, or by both; a missing text is not
-- an empty one. Orleans also passes hashes of type and id, for databases whose indexes hold no long keys: not used here.
create table statehouse_orleans.OrleansStorage (
  ServiceId              text        collate "C" not null,
  GrainTypeString        text        collate "C" not null,
  GrainIdN0              bigint      not null,
  GrainIdN1              bigint      not null,
  GrainIdExtensionString text        collate "C",
  Version                integer     not null,             -- the ETag
  PayloadBinary          bytea,                            -- null = cleared
  ModifiedOn             timestamptz not null default now()
);

-- Two grains that both believe they are the first to write must not both succeed.
create unique index OrleansStorage_grain on statehouse_orleans.OrleansStorage (
  ServiceId, GrainTypeString, GrainIdN0, GrainIdN1,
  coalesce(GrainIdExtensionString, ''), (GrainIdExtensionString is null));

-- Writes a grain's state where its version is still the expected one; null = the grain was never written.
-- Returns the new version; the expected one where nothing was written, which Orleans takes for a conflict.
create function statehouse_orleans.write_to_storage(
  service text, grain_type text, n0 bigint, n1 bigint, extension text, expected_version integer, payload bytea
) returns integer
language plpgsql as $$
declare
  written integer;
begin
  if expected_version is null then
    insert into statehouse_orleans.OrleansStorage (
      ServiceId, GrainTypeString, GrainIdN0, GrainIdN1, GrainIdExtensionString, Version, PayloadBinary)
    values (service, grain_type, n0, n1, extension, nextval('statehouse_orleans.etag'), payload)
    on conflict do nothing
    returning Version into written;
  else
    update statehouse_orleans.OrleansStorage
    set Version = nextval('statehouse_orleans.etag'), PayloadBinary = payload, ModifiedOn = now()
    where ServiceId = service and GrainTypeString = grain_type and GrainIdN0 = n0 and GrainIdN1 = n1
      and coalesce(GrainIdExtensionString, '') = coalesce(extension, '')
      and (GrainIdExtensionString is null) = (extension is null)
      and Version = expected_version
    returning Version into written;
  end if;
  return coalesce(written, expected_version);
end
$$;

insert into statehouse_orleans.OrleansQuery (QueryKey, QueryText) values
-- One row. @GrainStateVersion may be null.
('WriteToStorageKey', $query$
select statehouse_orleans.write_to_storage(
  @ServiceId, @GrainTypeString, @GrainIdN0, @GrainIdN1, @GrainIdExtensionString, @GrainStateVersion, @PayloadBinary
) as NewGrainStateVersion
$query$),

-- No row: never written. One whose payload is null: cleared.
('ReadFromStorageKey', $query$
select PayloadBinary, Version
from statehouse_orleans.OrleansStorage
where ServiceId = @ServiceId and GrainTypeString = @GrainTypeString and GrainIdN0 = @GrainIdN0 and GrainIdN1 = @GrainIdN1
  and coalesce(GrainIdExtensionString, '') = coalesce(@GrainIdExtensionString, '')
  and (GrainIdExtensionString is null) = (@GrainIdExtensionString is null)
$query$),

-- Forgets the state and keeps the row with a new version. No row: a conflict.
('ClearStorageKey', $query$
update statehouse_orleans.OrleansStorage
set Version = nextval('statehouse_orleans.etag'), PayloadBinary = null, ModifiedOn = now()
where ServiceId = @ServiceId and GrainTypeString = @GrainTypeString and GrainIdN0 = @GrainIdN0 and GrainIdN1 = @GrainIdN1
  and coalesce(GrainIdExtensionString, '') = coalesce(@GrainIdExtensionString, '')
  and (GrainIdExtensionString is null) = (@GrainIdExtensionString is null)
  and Version = @GrainStateVersion
returning Version as NewGrainStateVersion
$query$),

-- Removes the row. No row: a conflict. What it returns must only differ from @GrainStateVersion.
('DeleteStorageKey', $query$
delete from statehouse_orleans.OrleansStorage
where ServiceId = @ServiceId and GrainTypeString = @GrainTypeString and GrainIdN0 = @GrainIdN0 and GrainIdN1 = @GrainIdN1
  and coalesce(GrainIdExtensionString, '') = coalesce(@GrainIdExtensionString, '')
  and (GrainIdExtensionString is null) = (@GrainIdExtensionString is null)
  and Version = @GrainStateVersion
returning 0 as NewGrainStateVersion
$query$);
