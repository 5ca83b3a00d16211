-- ranges: 4
CREATE TABLE t (id INTEGER PRIMARY KEY);
INSERT INTO t SELECT n FROM generate_series(1, 40) AS n;
