-- reset_val: what the server, database and role say, before session.sql raised it.
select name, case when name = 'synchronous_commit' then reset_val else setting end
from pg_settings
where name in ('fsync', 'full_page_writes', 'synchronous_commit')
  and (setting = 'off' or reset_val in ('off', 'local'))
order by name
