select statehouse.find_version($1, $2, $3)
