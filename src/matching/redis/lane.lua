-- Where tickets stand, and how they come and go: the front of a network and its crowd, leases, outcomes;
-- and what every script writes in the end.

-- Defined below; and `stand` in `queue.lua`, for those who arrive later in the same call.
local remove, stand

local function join_front(t)
    local field = 'p' .. t.narrow
    t.stood = t.stood or struct.pack('>I8', now)
    wanted[field] = (get(field) or '') .. t.id .. t.stood
end

local function leave_front(t)
    if not t.narrow or t.crowded then
        return
    end
    local field, left = 'p' .. t.narrow, ''
    local all = get(field) or ''
    for at = 1, #all, PLACE do
        if sub(all, at, at + 16) == t.id then
            t.stood = sub(all, at + 17, at + 24)
        else
            left = left .. sub(all, at, at + 24)
        end
    end
    wanted[field] = left ~= '' and left
end

-- Moves a waiting ticket from the front to its network's crowd, or back.
local function move(t, crowded)
    if not t.new then
        line_up(t, false)
    end
    leave_front(t)
    t.crowded, t.stood = crowded, false
    if not crowded then
        join_front(t)
    end
    queued[t] = true
end

-- Those of a network's front whose lease is over leave it. Answers who of the others has stood there
-- longest, and since when.
local function longest_in_front(all)
    local longest, since
    for at = 1, #all, PLACE do
        local id = sub(all, at, at + 16)
        local other = waiting(id)
        if other and over(id) then
            remove(other)
        elseif other then
            local stood = struct.unpack('>I8', all, at + 17)
            if not since or stood < since then
                longest, since = other, stood
            end
        end
    end
    return longest, since
end

-- No more tickets of this one's network may stand in the front now. One that has stood there for as long
-- `tag_patience` yields its place to the one that asks: five searches without a fit must not hold
-- them for ever. (A moment to come is from before the clock was set back.)
local function front_is_closed(t)
    if spent(t) then
        return true
    end
    local field, full = 'p' .. t.narrow, PLACE * FRONT_TICKETS
    local all = get(field) or ''
    if #all < full then
        return false
    end
    local longest, since = longest_in_front(all)
    if #(get(field) or '') < full then
        return false
    elseif not longest or (since <= now and now - since < tag_patience) then
        return true
    end
    move(longest, true)
    if stand then
        stand(longest)
    end
    return false
end

-- Gives a ticket its place in the front, or else in its network's crowd.
local function stand_in_lane(t)
    t.crowded = t.narrow and front_is_closed(t)
    if t.narrow and not t.crowded then
        join_front(t)
    end
end

-- Queues a ticket for one lease. Its name must be free.
local function queue(t)
    queued[t] = true
    stand_in_lane(t)
    wanted[t.session] = (get(t.session) or '') .. char(#t.user) .. t.user .. t.id
    tickets[t.id] = t
    hold(t.id)
    count(t, 1)
end

-- Takes a waiting ticket out of everything.
function remove(t)
    queued[t] = nil
    leave_front(t)
    if t.new then
        due[t.id] = nil
    else
        line_up(t, false)
        due[t.id] = false
        taken_out = taken_out + 1
    end
    local left = false
    -- Most browsers hold one ticket.
    if #(get(t.session) or '') > #t.user + 18 then
        left = select(3, names(t.session, nil, t.id))
    end
    wanted[t.session] = left
    wanted[t.id] = false
    tickets[t.id] = false
    count(t, -1)
end

-- A ticket of a crowd goes to the front when there is room for its network, or one yields.
local function bring_forward(t)
    if t.crowded and not front_is_closed(t) then
        move(t, false)
    end
end

-- A ticket as it is kept while it waits.
local function kept_waiting(t)
    local letter = t.crowded and 'Y' or 'W'
    if t.front == '' then
        return letter .. sub(t.packed, 2)
    end
    return letter .. sub(t.front, 2) .. t.packed
end

-- Keeps a pairing for a lease. `counting`: which tags count, in bits.
local function keep(room, me, other, counting)
    local length = struct.pack('>I4', #me.front + #me.packed)
    local o = char(48 + counting) .. length ..
        me.front .. me.packed .. other.front .. other.packed
    wanted[room] = o
    wanted[me.id], wanted[other.id] = room, room
    tickets[me.id], tickets[other.id] = false, false
    hold(room)
    return o
end

-- Takes an outcome out of everything.
local function forget(room, o)
    local arrived, waited = sides(o)
    wanted[room] = false
    wanted[id_of(arrived)], wanted[id_of(waited)] = false, false
    due[room] = false
end

-- Takes out up to so many whose lease is over.
local function sweep(limit)
    if now < counters[NEXT_DUE] then
        swept = true
        return
    end
    local ended = call('ZRANGE', DUE, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)
    if #ended > 0 then
        fetch(ended)
    end
    for _, name in ipairs(ended) do
        due[name] = false
        local value = get(name)
        if value and byte(name) == 111 then
            forget(name, value)
        elseif value and waiting(name) then
            remove(waiting(name))
        end
    end
    swept = #ended < limit
    if swept then
        local after = '(' .. string.format('%.0f', now)
        local next_one =
            call('ZRANGE', DUE, after, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
        counters[NEXT_DUE] = tonumber(next_one[2]) or NEVER
        wanted['#'] = ''
    end
end

-- Another lease for whatever this ticket is: the waiting ticket, or the room and its outcome.
-- Past its lease it is taken out.
local function renew(id)
    -- Asked first: who waits since earlier in this call is in no field yet.
    local t = waiting(id)
    if t then
        if over(id) then
            remove(t)
            return
        end
        hold(id)
        return t
    end
    local value = get(id)
    if not value then
        return
    end
    local o = get(value)
    if o then
        if over(value) then
            forget(value, o)
            return
        end
        hold(value)
        return nil, value, o
    end
end

-- Writes everything. Ends every script.
local function write()
    local stale = counters[KEPT_UNTIL] < clock + silence / 2
    if stale then
        counters[KEPT_UNTIL] = clock + silence
    end
    for t in pairs(queued) do
        line_up(t, true)
        wanted[t.id] = kept_waiting(t)
    end
    if next(paid) ~= nil then
        local words, count = { 'ZADD', SPENT }, 2
        for network, full in pairs(paid) do
            words[count + 1], words[count + 2] = string.format('%.0f', full), network
            count = count + 2
        end
        command(words, 2)
        call('PEXPIREAT', SPENT, clock + MOST_OWED + REFILLED)
    end
    local held = write_members(DUE, due, string.format('%.0f', now + lease))
    if not held and call('EXISTS', DUE) == 0 then
        call('DEL', POOL, LINES)
        return
    end
    local queued = next(lines) ~= nil and write_members(LINES, lines, '0')
    if stale or next(wanted) ~= nil then
        write_fields()
    end
    if stale then
        call('PEXPIREAT', POOL, clock + silence)
        call('PEXPIREAT', DUE, clock + silence)
    end
    -- An empty queue was gone, and its expiry with it.
    if stale or (queued and before <= taken_out) then
        call('PEXPIREAT', LINES, counters[KEPT_UNTIL])
    end
end
