-- The layout of a journal store: docs/decisions/0004-postgres-layout.md says why it looks like this.

-- The feed's positions. It starts below 1 and its first number is drawn here, so that last_value is always a number
-- that was drawn: every number still to come is greater. cache 1, because a session that kept numbers back would
-- hand out low ones late (docs/decisions/0003-feed-order.md).
create sequence statehouse.commit_ts as bigint minvalue 0 start with 0 cache 1;
select nextval('statehouse.commit_ts');

-- Row numbers for agents. A process draws a block at once: nextval = the first number of 1,000 that are its own.
create sequence statehouse.stream_id as bigint start with 1 increment by 1000 cache 1;

-- One row per agent that has commits: where its journal ends, and so the fence of every append.
create table statehouse.stream (
  stream_id     bigint   not null,
  kind          smallint not null,               -- 0 agent, 1 execution
  namespace     text     collate "C" not null,
  name          text     collate "C" not null,
  version       bigint   not null,               -- of the last commit
  head_hash     bytea    not null,               -- 32 bytes, of the last commit
  first_version bigint   not null,               -- of the oldest commit still kept
  updated_at    bigint   not null,               -- time of the last commit: microseconds since 1970-01-01 UTC
  constraint stream_pkey primary key (stream_id),
  constraint stream_name_key unique (kind, namespace, name)
) with (fillfactor = 70);                        -- room beside each row, so that moving a head touches no index

-- One row per commit, only ever inserted.
create table statehouse.journal (
  stream_id     bigint   not null,
  version       bigint   not null,               -- 1, 2, 3, … along one agent
  commit_ts     bigint   not null,               -- position in the feed; shared by the commits of one transaction
  committed_at  bigint   not null,               -- microseconds since 1970-01-01 UTC
  txn_id        uuid     not null,
  body          bytea    not null,               -- UTF-8 JSON: convert_from(body, 'UTF8')::jsonb
  hash          bytea    not null,               -- 32 bytes
  constraint journal_pkey primary key (stream_id, version)
);
create index journal_feed on statehouse.journal (commit_ts);

-- An agent's state at one version. Everything here can be rebuilt from the journal.
create table statehouse.snapshot (
  stream_id     bigint   not null,
  version       bigint   not null,
  hash          bytea    not null,               -- the chain's hash at that version
  checksum      bytea    not null,               -- SHA-256 over version (big-endian), hash and body
  body          bytea    not null,
  constraint snapshot_pkey primary key (stream_id, version)
);

-- lz4 takes a fraction of the default's time. A server may be built without it; then the default stays.
do $$
begin
  alter table statehouse.journal alter column body set compression lz4;
  alter table statehouse.snapshot alter column body set compression lz4;
exception when feature_not_supported then
  raise notice 'This server is built without lz4; large bodies are compressed with the default method.';
end
$$;
