-- Tickets, pairings and leases, for all scripts.
--
-- A ticket that waits is kept as
--   'W' in the front or 'Y' in its network's crowd,
--   its beginning (8 bytes), its serial (8),            the moment and the order by which it is found
--   the ticket it took the name from (17), where that one is told (16); zeros: nobody
--   and the ticket as its node packed it (`codec.rs`), of which these bytes are looked into:
--   name (17), session (17), address (16), attempt (8), class (1), phase (1), lengths of user id (1),
--   tags (1), blocked sessions (4), sessions met lately (4), prefixes (3 × 8), the narrowest first;
--   then those of which the lengths were given; then three marks (8 each), how many marks are held
--   against others (1), and those (8 each).
-- A tag is 8 bytes: a topic of the pages begins with a zero, any other with a bit.
-- An outcome is kept as '0' plus 1, 2 and 4 for those tags of the ticket that arrived, in the order of
-- its bytes, which count between the two; the length (4) of the ticket that arrived, that ticket, and
-- the one that waited.

-- What stands before the ticket as its node packed it.
local FRONT = 50
local NOBODY = string.rep('\0', 33)
-- What stands for a network that is not known.
local NOWHERE = string.rep('\0', 8)
-- How many tickets of one network stand in the front.
local FRONT_TICKETS = 5
-- What a network may have spent at once is refilled in this time.
local REFILLED = 60000

-- When the budgets of networks are full again, as far as was asked; and those that changed.
local full_at, paid = {}, {}

-- What the scripts look into of a packed ticket that begins after so many bytes.
local function parse(packed, front)
    local class, phase, users, tags, blocked, recent =
        struct.unpack('>BBBBI4I4', packed, front + 59)
    local tags_at = front + 95 + users
    local blocked_at = tags_at + tags
    local recent_at = blocked_at + blocked
    local narrow = sub(packed, front + 71, front + 78)
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
        -- Its narrowest network; false: not known. Where all three begin.
        narrow = narrow ~= NOWHERE and narrow,
        networks_at = front + 71,
        networks = false,
        crowded = false,
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
    t.crowded = byte(kept) == 89
    return t
end

-- This ticket, when it waits.
local function waiting(id)
    local t = tickets[id]
    if t == nil then
        local value = get(id)
        local letter = value and byte(value)
        t = (letter == 87 or letter == 89) and unpack_ticket(value)
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
    local lane = t.crowded and '\4' .. t.narrow or ''
    if t.tags == '' then
        return { lane .. '\0' .. class }
    end
    local all = {}
    for _, sets in ipairs(tag_sets(t.tags)) do
        for _, tags in ipairs(sets) do
            all[#all + 1] = lane .. tags .. class
        end
    end
    if t.phase >= 1 then
        all[#all + 1] = lane .. '\0' .. class
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

-- The networks of a ticket, the narrowest first.
local function networks(t)
    local all = t.networks
    if not all then
        local at, packed = t.networks_at, t.packed
        all = { t.narrow, sub(packed, at + 8, at + 15), sub(packed, at + 16, at + 23) }
        t.networks = all
    end
    return all
end

-- Asks when the budgets of these networks are full again.
local function read_budgets(all)
    local asked = {}
    for level = 1, 3 do
        if full_at[all[level]] == nil and all[level] ~= NOWHERE then
            asked[#asked + 1] = all[level]
        end
    end
    if #asked > 0 then
        local scores = call('ZMSCORE', SPENT, unpack(asked))
        for i = 1, #asked do
            full_at[asked[i]] = scores[i] and tonumber(scores[i]) or 0
        end
    end
end

-- When a network's budget will be full again after one more pairing; nothing: it has none left.
local function after_one_more(level, network)
    local refill = math.floor(REFILLED / (per_minute * 2 ^ (level - 1)))
    local full = math.max(full_at[network], now) + refill
    return full <= now + REFILLED and full
end

-- The networks of a ticket that do not hold the other (none: of nobody), by their level.
local function apart(t, other)
    local own, theirs = networks(t), other and other.narrow and networks(other)
    local paying = {}
    for level = 1, 3 do
        local network = own[level]
        if network ~= NOWHERE and not (theirs and theirs[level] == network) then
            paying[level] = network
        end
    end
    return paying
end

-- Whether a network of a ticket has no pairing left with one that it does not hold.
local function spent(t, other)
    if per_minute == 0 or not t.narrow or (other and other.narrow == t.narrow) then
        return false
    end
    read_budgets(networks(t))
    for level, network in pairs(apart(t, other)) do
        if not after_one_more(level, network) then
            return true
        end
    end
    return false
end

-- These two meet: each network that does not hold the other pays, if it can.
local function pay(t, other)
    if per_minute == 0 or not t.narrow or other.narrow == t.narrow then
        return
    end
    read_budgets(networks(t))
    for level, network in pairs(apart(t, other)) do
        local full = after_one_more(level, network)
        if full then
            full_at[network], paid[network] = full, full
        end
    end
end

-- Defined below.
local remove

-- No more tickets of this one's network may stand in the front now. Those whose lease is over leave it.
local function front_is_closed(t)
    local field = 'p' .. t.narrow
    local all = get(field) or ''
    if #all >= 17 * FRONT_TICKETS then
        for at = 1, #all, 17 do
            local id = sub(all, at, at + 16)
            local other = over(id) and waiting(id)
            if other then
                remove(other)
            end
        end
    end
    return #(get(field) or '') >= 17 * FRONT_TICKETS or spent(t)
end

-- Gives a ticket its place in the front, or else in its network's crowd.
local function stand_in_lane(t)
    t.crowded = t.narrow and front_is_closed(t)
    if t.narrow and not t.crowded then
        local field = 'p' .. t.narrow
        wanted[field] = (get(field) or '') .. t.id
    end
end

local function leave_front(t)
    if not t.narrow or t.crowded then
        return
    end
    local field, left = 'p' .. t.narrow, ''
    local all = get(field) or ''
    if #all > 17 then
        for at = 1, #all, 17 do
            local id = sub(all, at, at + 16)
            left = id == t.id and left or left .. id
        end
    end
    wanted[field] = left ~= '' and left
end

-- Lets somebody wait for a lease. Their name must be free.
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

-- Moves a waiting ticket from the front to its network's crowd, or back.
local function move(t, crowded)
    if not t.new then
        line_up(t, false)
    end
    leave_front(t)
    t.crowded = crowded
    if not crowded then
        local field = 'p' .. t.narrow
        wanted[field] = (get(field) or '') .. t.id
    end
    queued[t] = true
end

-- A ticket of a crowd goes to the front when there is room for its network.
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
        local words, count = { 'ZADD', SPENT, 'GT' }, 3
        for network, full in pairs(paid) do
            words[count + 1], words[count + 2] = string.format('%.0f', full), network
            count = count + 2
        end
        command(words, 3)
        call('PEXPIREAT', SPENT, clock + 2 * REFILLED)
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
