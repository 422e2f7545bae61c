-- $1 kind, $2 namespace, $3 facets, $4 counted no further than this
select wanted.facet, (select count(*)
                      from (select from statehouse.agent_facet as f
                            where f.kind = $1 and f.namespace = $2 and f.facet = wanted.facet
                            limit $4) as counted)
from unnest($3::text[]) as wanted(facet)
