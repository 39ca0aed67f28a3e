-- Tickets, pairings and leases, for all scripts.
--
-- A ticket that waits is kept as
--   'W', its beginning (8 bytes), its serial (8),       the moment and the order by which it is found
--   the ticket it took the name from (17), where that one is told (16); zeros: nobody
--   and the ticket as its node packed it (`codec.rs`), of which these bytes are looked into:
--   name (17), session (17), address (16), attempt (8), class (1), phase (1), lengths of user id (1),
--   tags (1), blocked sessions (4), sessions met lately (4), prefixes (3 × 8), the narrowest first;
--   then those of which the lengths were given; then three marks (8 each), how many marks are held
--   against others (1), and those (8 each).
-- An outcome is kept as '1' when they had met, or '0'; the length (4) of the ticket that arrived, that
-- ticket, and the one that waited.

-- What stands before the ticket as its node packed it.
local FRONT = 50
local NOBODY = string.rep('\0', 33)

-- What the scripts look into of a packed ticket that begins after so many bytes.
local function parse(packed, front)
    local class, phase, users, tags, blocked, recent =
        struct.unpack('>BBBBI4I4', packed, front + 59)
    local tags_at = front + 95 + users
    local blocked_at = tags_at + tags
    local recent_at = blocked_at + blocked
    return {
        id = sub(packed, front + 1, front + 17),
        session = sub(packed, front + 18, front + 34),
        class = class,
        phase = phase,
        user = sub(packed, front + 95, tags_at - 1),
        tags = tags > 0 and sub(packed, tags_at, blocked_at - 1) or '',
        -- Where these lists begin, and where the last one is over.
        blocked_at = blocked_at,
        recent_at = recent_at,
        body_at = recent_at + recent,
        -- As it is kept, in two parts: what this call puts before it, and what was there before.
        front = '',
        packed = packed,
        -- Its beginning and its serial.
        stamp = '',
        -- Nothing of it is in Redis yet.
        new = false,
    }
end

-- A ticket as it is kept.
local function unpack_ticket(kept)
    local t = parse(kept, FRONT)
    t.stamp = sub(kept, 2, 17)
    return t
end

-- This ticket, when it waits.
local function waiting(id)
    local t = tickets[id]
    if t == nil then
        local value = get(id)
        t = value and byte(value) == 87 and unpack_ticket(value)
        tickets[id] = t
    end
    return t
end

-- The ticket of an outcome that arrived, and the one that waited, as they are kept.
local function sides(o)
    local length = struct.unpack('>I4', o, 2)
    return sub(o, 6, 5 + length), sub(o, 6 + length)
end

local function id_of(kept)
    return sub(kept, FRONT + 1, FRONT + 17)
end

-- All sets of these tags, by their size; each begins with the size, so that none begins another.
local function tag_sets(tags)
    local a, b, c = sub(tags, 1, 8), sub(tags, 9, 16), sub(tags, 17, 24)
    if b == '' then
        return { { '\1' .. a } }
    elseif c == '' then
        return { { '\1' .. a, '\1' .. b }, { '\2' .. tags } }
    end
    return {
        { '\1' .. a, '\1' .. b, '\1' .. c },
        { '\2' .. a .. b, '\2' .. a .. c, '\2' .. b .. c },
        { '\3' .. tags },
    }
end

-- Somebody without tags has none to share: their first phase restricts nothing.
local function open_to_anyone(t)
    return t.phase >= 1 or t.tags == ''
end

-- In which queues a ticket stands: under each set of its tags and, once it is open to anyone, the
-- empty one; of its class.
local function queues(t)
    local class = char(t.class)
    if t.tags == '' then
        return { '\0' .. class }
    end
    local all = {}
    for _, sets in ipairs(tag_sets(t.tags)) do
        for _, tags in ipairs(sets) do
            all[#all + 1] = tags .. class
        end
    end
    if t.phase >= 1 then
        all[#all + 1] = '\0' .. class
    end
    return all
end

-- Puts a ticket into its queues, or takes it out.
local function line_up(t, there)
    local tail = t.stamp .. t.id
    for _, key in ipairs(queues(t)) do
        lines[key .. tail] = there
    end
end

-- How many wait in this browser; which ticket waits there under this name; and what is left without
-- that ticket.
local function names(session, user, without)
    local all = get(session)
    if not all then
        return 0
    end
    local count, at, found, left = 0, 1, nil, ''
    while at <= #all do
        local next_at = at + byte(all, at) + 18
        local id = sub(all, next_at - 17, next_at - 1)
        if id ~= without then
            left = left .. sub(all, at, next_at - 1)
        end
        if sub(all, at + 1, next_at - 18) == user then
            found = id
        end
        count = count + 1
        at = next_at
    end
    return count, found, left ~= '' and left
end

local function count(t, change)
    counters[t.class + 1] = counters[t.class + 1] + change
    waiters = waiters + change
end

-- Lets somebody wait for a lease. Their name must be free.
local function queue(t)
    queued[t] = true
    wanted[t.session] = (get(t.session) or '') .. char(#t.user) .. t.user .. t.id
    tickets[t.id] = t
    hold(t.id)
    count(t, 1)
end

-- Takes a waiting ticket out of everything.
local function remove(t)
    queued[t] = nil
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

-- Keeps a pairing for a lease.
local function keep(room, me, other, met)
    local length = struct.pack('>I4', #me.front + #me.packed)
    local o = (met and '1' or '0') .. length ..
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
        wanted[t.id] = t.front .. t.packed
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
