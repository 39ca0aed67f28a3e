-- `left_reason` and `entries.reason` have two more values: 4, no_show, and 5, timeout, where the other side
-- was away as well when the room closed. No column changes; an older program would not know them.
PRAGMA user_version = 5;
