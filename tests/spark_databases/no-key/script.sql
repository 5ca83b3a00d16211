-- ranges: 1
CREATE TABLE word (text TEXT PRIMARY KEY, number INTEGER);
INSERT INTO word SELECT 'word ' || n, n FROM generate_series(1, 40) AS n;
