-- ranges: 4
-- Their names come from the order of the answer.
CREATE TABLE t (id INTEGER PRIMARY KEY, note TEXT);
INSERT INTO t SELECT n, 'note ' || n FROM generate_series(1, 40) AS n;
