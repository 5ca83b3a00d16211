-- ranges: 4
-- Most rows are at one end of the keys.
CREATE TABLE visit (id INTEGER PRIMARY KEY, note TEXT);
INSERT INTO visit SELECT CASE WHEN n > 35 THEN n * 1000 ELSE -n END, 'note ' || n FROM generate_series(1, 40) AS n;
