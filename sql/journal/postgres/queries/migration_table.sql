create schema if not exists statehouse;
create table statehouse.migration (
  number     integer     not null primary key,
  name       text        not null,
  sha256     bytea       not null,   -- of the file's bytes
  applied_at timestamptz not null default now()
);
