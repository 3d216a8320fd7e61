-- SPDX-License-Identifier: MIT
-- A day in an in-memory database: load, index, join, group, text work, update, delete.
PRAGMA journal_mode = MEMORY;
CREATE TABLE customer(id INTEGER PRIMARY KEY, name TEXT, town TEXT);
CREATE TABLE sale(id INTEGER PRIMARY KEY, customer INTEGER, amount REAL, note TEXT);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
INSERT INTO customer SELECT i, 'customer ' || i, 'town ' || (i * 7919 % 97) FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 80000)
INSERT INTO sale SELECT i, i * 7907 % 5000 + 1, i * 31 % 1000 / 10.0,
	substr('lorem ipsum dolor sit amet consectetur adipiscing elit', 1, i % 50 + 1) || i FROM n;
COMMIT;
CREATE INDEX sale_customer ON sale(customer);
CREATE INDEX sale_note ON sale(note);
SELECT town, count(*), sum(amount) FROM sale JOIN customer ON customer.id = sale.customer
	GROUP BY town ORDER BY 3 DESC LIMIT 5;
SELECT count(DISTINCT upper(note)), max(length(replace(note, 'o', 'oo'))) FROM sale;
SELECT length(group_concat(name, ', ')) FROM customer;
SELECT count(*) FROM (SELECT DISTINCT substr(note, 1, 8) FROM sale ORDER BY 1);
UPDATE sale SET note = note || '!' WHERE id % 3 = 0;
DELETE FROM sale WHERE id % 5 = 0;
SELECT count(*), sum(length(note)) FROM sale WHERE note LIKE '%dolor%';
