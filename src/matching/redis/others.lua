-- Counts those who wait, by class, without the tickets of the named sessions, each named once. Only
-- reads: no lease begins or ends by it.

local sessions = { '#' }
for i = 4, #ARGV do
    sessions[#sessions + 1] = ARGV[i]
end
open(sessions)
for i = 2, #sessions do
    local all = get(sessions[i])
    local at = 1
    while all and at <= #all do
        at = at + byte(all, at) + 18
        local t = waiting(sub(all, at - 17, at - 1))
        if t then
            counters[t.class + 1] = counters[t.class + 1] - 1
        end
    end
end
local answer = {}
for class = 1, CLASSES do
    answer[class] = counters[class]
end
return answer
