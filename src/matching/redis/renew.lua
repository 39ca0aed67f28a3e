-- Keeps a ticket, or the outcome it became, for another lease.

local id = ARGV[5]

open({ '#', id })
sweep(UPKEEP)
local t, room, o = renew(id)
if t then
    bring_forward(t)
end
write()
if t then
    return { 'W' }
elseif o then
    return { 'P' .. NONE_REPLACED .. room, o }
end
return { 'G' }
