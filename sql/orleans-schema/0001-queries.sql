-- Orleans' AdoNet providers know one table by name, this one. Each reads it once when it starts and later runs the text
-- that it found under a key, with parameters and result columns that the key stands for. Everything else here is ours.
-- They do not name a schema, so the search path of their connections must lead here; the texts themselves name it.
-- Silos that are running keep the texts that they have read: a later migration may replace a text, but must leave what
-- the old one uses.
create table statehouse_orleans.OrleansQuery (
  QueryKey  text not null primary key,
  QueryText text not null
);

-- Versions that are compared for being the same (ETags) are drawn from here, so that none comes again: a row that is
-- deleted and written anew must not begin with a version that somebody still holds from its first life. Orleans reads
-- them as 32-bit integers; after 2^31 writes they start over.
create sequence statehouse_orleans.etag as integer minvalue 1 cycle;
