select statehouse.delete_agents($1, $2, $3, $4, $5)
