create table if not exists migration (
  number   integer primary key,
  name     text not null,
  checksum blob not null  -- SHA-256 of the file as it was applied
);
