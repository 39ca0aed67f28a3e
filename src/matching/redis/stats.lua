-- Counts those who wait, by class, and takes out those whose lease is over, up to so many.
-- The first number is 1 when there are more of those.

local limit = tonumber(ARGV[5])

-- Should Redis have evicted one key, all tickets enter again.
local both = call('EXISTS', POOL, DUE)
if both == 1 then
    call('DEL', POOL, DUE, LINES)
end
open({ '#' })
if before > 0 and call('EXISTS', LINES) == 0 then
    call('DEL', POOL, DUE)
    known = {}
    empty()
end
sweep(limit)
-- What is full again is as good as never spent.
call('ZREMRANGEBYSCORE', SPENT, '-inf', now)
write()
local answer = { swept and 0 or 1 }
for class = 1, CLASSES do
    answer[class + 1] = counters[class]
end
return answer
