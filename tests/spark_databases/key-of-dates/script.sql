-- ranges: 4
CREATE TABLE event (day DATE PRIMARY KEY, note TEXT);
INSERT INTO event SELECT DATE '1999-12-20' + n, 'note ' || n FROM generate_series(1, 40) AS n;
INSERT INTO event VALUES ('infinity', 'end'), ('-infinity', 'begin'), ('0044-03-15 BC', 'ides');
