-- Forgets an outcome and puts its tickets back, except one that is gone or whose name waits anew. A ticket
-- that goes back has met no partner, so its networks are given back what they paid; the pair is only when
-- both are there,
-- else the same outsider could come and go without end.

local room, gone = ARGV[5], ARGV[6]

open({ '#', room })
sweep(UPKEEP)
local o = get(room)
if o then
    local late = over(room)
    forget(room, o)
    local arrived, waited = sides(o)
    local one, other = unpack_ticket(arrived), unpack_ticket(waited)
    if not late and one.session ~= other.session then
        if one.id ~= gone then
            pay(one, other, true)
        end
        if other.id ~= gone then
            pay(other, one, true)
        end
        if one.id ~= gone and other.id ~= gone then
            pay_as_pair(one, other, true)
        end
    end
    for _, t in ipairs({ one, other }) do
        local _, duplicate = names(t.session, t.user)
        -- One whose lease is over waits no more, though nothing has come to take it out yet.
        local old = duplicate and over(duplicate) and waiting(duplicate)
        if old then
            remove(old)
        end
        if not late and t.id ~= gone and (old or not duplicate) then
            queue(t)
        end
    end
end
write()
return '1'
