-- ranges: 4
CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT);
INSERT INTO t SELECT n, CASE n WHEN 33 THEN 'x' ELSE n::text END FROM generate_series(1, 40) AS n;
