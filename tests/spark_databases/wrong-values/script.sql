-- ranges: 4
CREATE TABLE t (id INTEGER PRIMARY KEY, born TEXT);
INSERT INTO t SELECT n, CASE n WHEN 7 THEN 'once' WHEN 33 THEN '?' ELSE (1950 + n)::text END FROM generate_series(1, 40) AS n;
