-- Of two connections of a side that come and go at the same time, on whatever node, everybody must
-- agree which was the later: each side counts its arrivals and departures.
ALTER TABLE rooms ADD COLUMN version_a INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rooms ADD COLUMN version_b INTEGER NOT NULL DEFAULT 0;

-- `identity` names this data to other nodes: 63 random bits.
INSERT INTO meta (name, value) VALUES ('identity', random() & 0x7fffffffffffffff);

PRAGMA user_version = 2;
