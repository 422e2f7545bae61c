-- What lists show has no hash chain behind it: a changed byte on the disk would be shown as if it were the truth.
alter table agent_index add column checksum integer;  -- CRC-32C (src/Journal.Sqlite/IndexRowChecksum.cs); null = written before there was one
