-- ranges: 4
-- CAST would give other texts than COPY for booleans and for texts of a fixed length.
CREATE TYPE mood AS ENUM ('calm', 'it''s "fine"');
CREATE DOMAIN short AS VARCHAR(5);
CREATE TYPE pair AS (first TEXT, second INTEGER);
CREATE TABLE t (id INTEGER PRIMARY KEY, c_smallint SMALLINT, c_numeric NUMERIC(30,4), c_real REAL, c_double DOUBLE PRECISION, c_boolean BOOLEAN, c_char CHAR(6), c_one "char", c_name NAME, c_text TEXT, c_bytes BYTEA, c_time TIME, c_timetz TIMETZ, c_interval INTERVAL, c_uuid UUID, c_json JSON, c_jsonb JSONB, c_array TEXT[], c_numbers INTEGER[], c_mood mood, c_short short, c_pair pair, c_range INT4RANGE, c_address INET, c_bits BIT(4), c_money MONEY, c_xml XML, c_point POINT);
INSERT INTO t SELECT n, n, n * 100.50, n / 3.0::real, n / 3.0::float8, n % 2 = 0, 'ab', 'c', 'name', E'a,b\r\n"c"\t\\.' || n, '\x00ff',
  '08:15:00.5', '12:00:00+05:30', '1 day 02:03:04.5', '00000000-0000-0000-0000-00000000000a', '{"a": [1, null]}', '{"b": 2, "a": 1}',
  ARRAY['x', NULL, 'a "b"'], ARRAY[1, 2], 'it''s "fine"', 'short', ROW('a b', NULL)::pair, '[1,5)', '192.168.0.1/24', B'0101', 12.5, '<a>&amp;</a>', '(1,2)'
  FROM generate_series(1, 20) AS n;
INSERT INTO t (id) VALUES (21);
INSERT INTO t (id, c_text, c_char, c_pair, c_double, c_numeric) VALUES (22, '', '', ROW(NULL, NULL), 'NaN', 0), (23, ' ', ' ', NULL, '-Infinity', -0.0001),
  (24, 'NULL', 'é', ROW('', 1), '1e300', 10), (25, 'ẞ🎉', '', NULL, '-0', 100);
