-- Nothing is created where it exists: a server may run as a role that may not create schemas.
select to_regclass('{schema}.migration') is not null
