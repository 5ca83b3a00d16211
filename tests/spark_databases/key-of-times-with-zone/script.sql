-- ranges: 4
CREATE TABLE reading (at TIMESTAMPTZ PRIMARY KEY, local TIMESTAMP, value REAL);
INSERT INTO reading SELECT TIMESTAMPTZ '2024-03-31 00:30:00+01' + n * INTERVAL '15 minutes 1.5 seconds',
  TIMESTAMP '2024-03-31 00:30:00' + n * INTERVAL '15 minutes', n / 3.0 FROM generate_series(1, 40) AS n;
