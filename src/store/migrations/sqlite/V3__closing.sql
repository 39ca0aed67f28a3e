-- A room that is near the greatest age it may have: when it closes by itself, once its people were told.
-- Until then that follows from `opened_at`. `left_reason` 3: its time was up.
-- What a room's texts count towards `limits.room_bytes` has no column: it is added up when its log is walked.
ALTER TABLE rooms ADD COLUMN closes_at INTEGER;

PRAGMA user_version = 3;
