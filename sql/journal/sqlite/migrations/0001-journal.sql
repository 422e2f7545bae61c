-- The journal of one process. Rows of stream and journal are only ever written together, in one transaction.

-- One row per agent: where its journal ends. Its (version, head_hash) is the fence of every append.
create table stream (
  stream_id     integer primary key,
  kind          integer not null,  -- 0 agent, 1 execution
  namespace     text    not null,  -- compared byte by byte (UTF-8), as name is: no collation, no normalisation
  name          text    not null,
  version       integer not null,  -- of the last commit
  head_hash     blob    not null,  -- of the last commit, 32 bytes
  first_version integer not null,  -- the oldest commit still kept
  updated_at    integer not null,  -- of the last commit, microseconds since 1970
  unique (kind, namespace, name)
);

-- One row per commit. position = commit_ts * 1024 + the commit's place in its transaction, so that the feed is a range
-- of the primary key and every append goes to the end of the table. The body comes last: whoever reads only a header
-- does not touch the pages that a long body overflows to.
create table journal (
  position     integer primary key,
  stream_id    integer not null,
  version      integer not null,
  committed_at integer not null,  -- microseconds since 1970
  txn_id       blob    not null,  -- 16 bytes, RFC 4122 order
  hash         blob    not null,  -- 32 bytes
  body         blob    not null   -- UTF-8 JSON: select json(cast(body as text)) shows it
);

create unique index journal_by_version on journal (stream_id, version);

-- An agent's state at a version. Can all be dropped: the journal is the truth.
create table snapshot (
  stream_id integer not null,
  version   integer not null,
  hash      blob    not null,  -- the chain's hash at that version
  checksum  blob    not null,  -- SHA-256 over version (8 bytes, big-endian), hash, body
  body      blob    not null,
  primary key (stream_id, version)
) without rowid;

-- One row that a readiness check writes to, to learn whether a write would succeed.
create table probe (
  id      integer primary key check (id = 1),
  written integer not null
);

insert into probe (id, written) values (1, 0);
