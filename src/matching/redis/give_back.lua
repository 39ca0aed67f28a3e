-- Forgets an outcome and puts its tickets back, except who is gone and whose name waits anew.

local room, gone = ARGV[3], ARGV[4]

open('o' .. room)
sweep(UPKEEP)
local o = outcome(room)
if o then
    local late = over('o' .. room)
    forget(room, o)
    for side = ARRIVED, WAITED do
        local t = o[side]
        if not late and t[ID] ~= gone and not namesake(t[SESSION], t[USER]) then
            queue(t)
        end
    end
end
write()
return '1'
