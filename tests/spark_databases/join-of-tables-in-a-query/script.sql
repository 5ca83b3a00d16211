-- ranges: 4
CREATE TABLE unit (id INTEGER PRIMARY KEY, title TEXT);
CREATE TABLE staff (id INTEGER PRIMARY KEY, unit INTEGER REFERENCES unit, name TEXT);
INSERT INTO unit SELECT n, 'unit ' || n FROM generate_series(1, 5) AS n;
INSERT INTO staff SELECT n, n % 5 + 1, 'name ' || n FROM generate_series(1, 40) AS n;
