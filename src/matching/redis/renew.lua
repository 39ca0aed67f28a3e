-- Keeps a ticket, or the outcome it became, for another lease.

local id = ARGV[3]

open('t' .. id)
sweep(UPKEEP)
local t, room, o = renew(id)
write()
if t then
    return { 'W' }
end
return o and paired(room, o, '', '') or { 'G' }
