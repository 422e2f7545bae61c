select number, name, sha256 from {schema}.migration order by number
