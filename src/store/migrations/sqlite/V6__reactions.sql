-- `entries.kind` has one more value: 3, a reaction. Its `target` is the row of the message; its `reason` says which:
-- 1 heart, 2 laugh, 3 wow, 4 sad, 5 ok, NULL: taken back, or erased since. An older program would not know it.
-- Few entries are reactions, so the index is small, and messages are not entered into it.
CREATE INDEX entries_reactions ON entries (target) WHERE kind = 3;

PRAGMA user_version = 6;
