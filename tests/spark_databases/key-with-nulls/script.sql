-- ranges: 4
CREATE TABLE visit (id SERIAL, code BIGINT UNIQUE, note TEXT);
INSERT INTO visit (code, note) SELECT CASE WHEN n % 3 = 0 THEN NULL ELSE n END, 'note ' || n FROM generate_series(1, 40) AS n;
