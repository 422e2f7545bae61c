select number, name, sha256 from statehouse.migration order by number
