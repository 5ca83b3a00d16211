-- ranges: 4
CREATE TABLE "Staff ""List""" ("key" INTEGER PRIMARY KEY, "Full Name" TEXT, "c0" TEXT);
INSERT INTO "Staff ""List""" SELECT n, 'name ' || n, 'c ' || n FROM generate_series(1, 40) AS n;
