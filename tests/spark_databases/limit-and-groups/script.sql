-- ranges: 1, 1, 1, 1
-- A part of such a query is another query.
CREATE TABLE t (id INTEGER PRIMARY KEY, kind INTEGER, note TEXT);
INSERT INTO t SELECT n, n % 7, 'note ' || n FROM generate_series(1, 200) AS n;
