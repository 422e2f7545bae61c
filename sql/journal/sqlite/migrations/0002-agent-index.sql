-- What agents are found by, besides their name. One row per agent that ever had a commit with an index row, written in
-- the transaction of that commit.
create table agent_index (
  stream_id  integer primary key,
  kind       integer not null,  -- as in stream, like namespace and name: they never change
  namespace  text    not null,
  name       text    not null,
  version    integer not null,  -- of the commit that wrote this row
  updated_at integer not null,  -- its time: microseconds since 1970, as all times here
  status     integer not null,
  group_name text    not null,  -- an execution's workflow
  labels     text    not null,  -- a JSON array of name=value texts
  started_at integer not null,
  due_at     integer,           -- from when on somebody must look after it; null = nobody need
  summary    blob    not null   -- UTF-8 JSON, what lists show
);

-- One per order. The status comes before the ordering value: a query looks into each status by itself and merges, so
-- that the few of a rare status are not looked for among all others.
create index agent_index_updated_at on agent_index (kind, namespace, status, updated_at, name);
create index agent_index_started_at on agent_index (kind, namespace, status, started_at, name);
create index agent_index_due_at on agent_index (kind, namespace, status, due_at, name) where due_at is not null;

-- One row per group (facet = 'g' || group_name) and per label (facet = 'l' || label) of an agent; written where they
-- change, which is hardly ever after the first commit.
create table agent_facet (
  kind      integer not null,
  namespace text    not null,
  facet     text    not null,
  stream_id integer not null,
  primary key (kind, namespace, facet, stream_id)
) without rowid;
