create schema if not exists {schema};
create table {schema}.migration (
  number     integer     not null primary key,
  name       text        not null,
  sha256     bytea       not null,   -- of the file's bytes
  applied_at timestamptz not null default now()
);
