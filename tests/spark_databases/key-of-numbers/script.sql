-- ranges: 4
-- NaN is above all numbers.
CREATE TABLE price (amount NUMERIC PRIMARY KEY, note TEXT);
INSERT INTO price SELECT n / 7.0, 'note ' || n FROM generate_series(-10, 28) AS n;
INSERT INTO price VALUES ('NaN', 'no number'), (6.5, 'short'), (30.00, 'zeros');
