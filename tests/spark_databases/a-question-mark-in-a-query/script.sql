-- ranges: none
CREATE TABLE t (id INTEGER PRIMARY KEY, tags JSONB);
INSERT INTO t SELECT n, CASE n % 2 WHEN 0 THEN '{"a": 1}'::jsonb ELSE '{"b": 1}'::jsonb END FROM generate_series(1, 40) AS n;
