-- Forgets an outcome and puts its tickets back, except who is gone and whose name waits anew.

local room, gone = ARGV[4], ARGV[5]

open({ '#', room })
sweep(UPKEEP)
local o = get(room)
if o then
    local late = over(room)
    forget(room, o)
    for _, kept in ipairs({ sides(o) }) do
        local t = unpack_ticket(kept)
        local _, namesake = names(t.session, t.user)
        if not late and t.id ~= gone and not namesake then
            queue(t)
        end
    end
end
write()
return '1'
