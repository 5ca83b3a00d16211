-- ranges: 4, 4, 4
CREATE TABLE unit (id INTEGER PRIMARY KEY, title TEXT);
CREATE TABLE staff (id INTEGER PRIMARY KEY, unit INTEGER, boss INTEGER, town TEXT);
INSERT INTO unit SELECT n, 'unit ' || n FROM generate_series(1, 20) AS n;
INSERT INTO staff SELECT n, n % 25 + 1, n / 2, 'town ' || n % 3 FROM generate_series(1, 40) AS n;
