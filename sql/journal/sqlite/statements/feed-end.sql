select max((select position from high_water), coalesce((select max(position) from journal), 0));
