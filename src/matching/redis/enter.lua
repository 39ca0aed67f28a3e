-- Lets tickets arrive, one after the other: each is paired, or queued when no ticket fits. Asked again it
-- answers the same. One answer for each; what one is refused does not concern the others.

local same_session = ARGV[5] == '1'
local per_session, most = tonumber(ARGV[6]), tonumber(ARGV[7])
math.randomseed(tonumber(ARGV[8]))
-- Two arguments for each ticket: how long it waits (8 bytes) with the room to be (17) and, should the
-- look go on from somewhere, the number of shared tags there, since when and with which serial (17);
-- and the ticket.
local FIRST = 9
local alone = #ARGV == FIRST + 1

-- Takes out the tickets of this browser whose lease is over.
local function drop_lapsed(session)
    local all = get(session)
    local at = 1
    while all and at <= #all do
        at = at + byte(all, at) + 18
        local t = waiting(sub(all, at - 17, at - 1))
        if t and over(t.id) then
            remove(t)
        end
    end
end

-- Why there is no place for this ticket. A ticket that takes a place over needs no new one.
local function refusal(me, former, duplicate, of_session)
    if former or duplicate then
        return
    end
    if per_session > 0 and of_session >= per_session then
        drop_lapsed(me.session)
        if names(me.session) >= per_session then
            return 'T'
        end
    end
    if waiting_count >= most then
        return 'F'
    end
end

-- Whether a ticket as it is kept was put there by this very call, whose answer got lost.
local function asked_again(me, kept)
    return sub(kept, FRONT + 51, FRONT + 58) == sub(me.packed, 51, 58)
end

-- Takes the ticket's former self and its duplicate (the same session and user id) out. The former self leaves
-- it its place, the duplicate its address to be told. Answers who that is.
local function take_over(me, former, duplicate, waited)
    local since, told = math.max(0, now - waited), NONE_REPLACED
    if former then
        remove(former)
        local former_since, former_serial = struct.unpack('>I8I8', former.stamp)
        since, me.serial = math.min(since, former_since), former_serial
        me.new, me.stood = former.new, former.stood
        local kept = former.front .. former.packed
        if asked_again(me, kept) then
            told = sub(kept, 18, FRONT)
        end
    else
        me.serial = counters[LAST_SERIAL] + 1
        counters[LAST_SERIAL] = me.serial
        me.new = true
    end
    local other = duplicate and duplicate ~= me.id and waiting(duplicate)
    if other then
        if not over(duplicate) then
            told = duplicate .. sub(other.front .. other.packed, FRONT + 35, FRONT + 50)
        end
        remove(other)
    end
    me.since = since
    me.stamp = struct.pack('>I8I8', since, me.serial)
    me.front = 'W' .. me.stamp .. told
    return told
end

-- The same pairing again, and the ticket that it replaced, if this very call was answered so before.
local function paired_again(me, o)
    local mine, theirs = sides(o)
    if id_of(mine) ~= me.id then
        mine = theirs
    end
    return asked_again(me, mine) and sub(mine, 18, FRONT) or NONE_REPLACED
end

-- Answers what the caller is told: that it waits or was paired, the ticket that it replaced, and the room;
-- and of a pairing, the outcome.
local function enter(me, waited)
    local former, made, o = renew(me.id)
    if o then
        return 'P' .. paired_again(me, o) .. made, o
    end
    local of_session, duplicate = names(me.session, me.user)
    local refused = refusal(me, former, duplicate, of_session)
    if refused then
        return refused
    end
    local told = take_over(me, former, duplicate, waited)
    local other
    resume, left_a_crowd, tags_for_others, tags_for_own = nil, false, '', ''
    -- A room that is spoken for cannot be given to two more people.
    if not get(me.room) then
        other = find_other(me) or (same_session and find_other_tab(me))
    end
    if other then
        remove(other)
        if me.session ~= other.session then
            pay(me, other)
            pay(other, me)
            pay_as_pair(me, other)
        end
        return 'P' .. told .. me.room, keep(me.room, me, other, counting_bits(me, other))
    end
    queue(me)
    if not alone then
        stand(me)
    end
    return 'W' .. told .. (resume or '')
end

local arrivals, fields = {}, { '#' }
for i = FIRST, #ARGV, 2 do
    local me = parse(ARGV[i + 1], 0)
    me.room = sub(ARGV[i], 9, 25)
    if #ARGV[i] > 25 then
        local size, since, serial = struct.unpack('>BI8I8', ARGV[i], 26)
        me.behind = { size = size, since = since, serial = serial }
    end
    arrivals[#arrivals + 1] = me
    local at = #fields
    fields[at + 1], fields[at + 2], fields[at + 3] = me.id, me.session, me.room
    if me.narrow then
        fields[at + 4] = 'p' .. me.narrow
    end
end
open(fields)
for class = 1, CLASSES do
    there[class] = counters[class] > 0
end
sweep(UPKEEP * #arrivals)
local answers = {}
for i = 1, #arrivals do
    local waited = struct.unpack('>i8', ARGV[FIRST + 2 * i - 2])
    local answer, o = enter(arrivals[i], waited)
    answers[#answers + 1] = answer
    answers[#answers + 1] = o
end
write()
return answers
