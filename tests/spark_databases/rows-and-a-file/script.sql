-- ranges: 4
CREATE TABLE staff (id INTEGER PRIMARY KEY, town TEXT);
INSERT INTO staff SELECT n, 'town ' || n % 3 FROM generate_series(1, 40) AS n;
