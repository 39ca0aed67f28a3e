-- `entries.kind` has one more value: 3, a reaction. Its `target` is the seq of the message; its `reason` says which:
-- 1 heart, 2 laugh, 3 wow, 4 sad, 5 ok, NULL: taken back, or erased since. Nodes of the version before would not
-- know it; they do not run beside this one.
-- Few entries are reactions, so the index is small, and messages are not entered into it.
CREATE INDEX entries_reactions ON entries (room, target) WHERE kind = 3;
