-- Takes a ticket out: '1' when it still waited. Past its lease it may be either, so it needs no clock.

local id = ARGV[5]

open({ '#', id })
local t = waiting(id)
if not t then
    return '0'
end
remove(t)
write()
return '1'
