-- What the scripts of the waiting pool share; each script is this text and its own.
--
-- Three keys in one slot hold everything:
--   POOL   a hash of all that is looked up by name:
--          't' + ticket id    'W' + a packed ticket that waits, or 'P' + the room it was paired for
--          'o' + room id      a packed outcome: both tickets as they were, and whether they had met
--          's' + session id   packed pairs of user id and ticket id: who waits in this browser
--          '#'                packed: twelve counters by class, the last serial, when the keys expire,
--                             a moment before which no lease ends
--   DUE    a sorted set of 't…' and 'o…' by the end of their lease
--   LINES  the queues, as one sorted set in order of bytes: how many tags, the tags, the class, the
--          beginning of the wait, the serial, the ticket id
--
-- Nothing is written before the end (`write`), so a script that fails has changed nothing.
-- Strings are never compared by `<`: Redis sorts them by the server's locale.

local POOL, DUE, LINES = KEYS[1], KEYS[2], KEYS[3]

-- The places of a packed ticket.
local ID, SESSION, USER, CLASS, PHASE, TAGS, SINCE, SERIAL = 1, 2, 3, 4, 5, 6, 7, 8
local ADDRESS, BLOCKED, RECENT, BODY, ATTEMPT, REPLACED, TOLD_AT = 9, 10, 11, 12, 13, 14, 15
-- The places of an outcome: the one who arrived, the one who waited (packed apart), had they met.
local ARRIVED, WAITED, MET = 1, 2, 3
-- The places of '#', after the twelve counters.
local LAST_SERIAL, KEPT_UNTIL, NEXT_DUE = 13, 14, 15

local CLASSES = 12
local NEVER = 2 ^ 52
local TAG_BYTES = 8
local ID_BYTES = 16
-- How many ends of leases each call looks at: more than one call begins.
local UPKEEP = 4
-- A pool that no node has touched for four leases, and at least so long, is gone.
local SILENCE = 60000
-- Arguments of one command; Lua's stack holds 8,000.
local BATCH = 1000

local time = redis.call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
-- Leases go by the one clock that all nodes share. Tests hand in their own.
local now = tonumber(ARGV[1]) or clock
local lease = tonumber(ARGV[2])
local silence = math.max(SILENCE, 4 * lease)

-- How '#' is packed.
local COUNTERS = '>' .. string.rep('I4', CLASSES) .. 'I8I8I8'

local known, changed = {}, {}
-- Waiting tickets as they were read, packed.
local packed = {}
local tickets, outcomes = {}, {}
local due, lines = {}, {}
local counters, before
local taken_out = 0
-- Whether everything whose lease was over has been taken out.
local swept = false

local function get(field)
    if known[field] == nil then
        known[field] = redis.call('HGET', POOL, field)
    end
    return known[field]
end

-- `false` removes the field.
local function set(field, value)
    known[field] = value
    changed[field] = true
end

local function total()
    local sum = 0
    for class = 1, CLASSES do
        sum = sum + counters[class]
    end
    return sum
end

-- Reads these fields and the counters at once. Begins every script.
local function open(...)
    local fields = { '#', ... }
    local values = redis.call('HMGET', POOL, unpack(fields))
    for i, field in ipairs(fields) do
        known[field] = values[i]
    end
    if known['#'] then
        counters = { struct.unpack(COUNTERS, known['#']) }
    else
        -- Should Redis have evicted one key, the others are worth nothing.
        redis.call('DEL', POOL, DUE, LINES)
        known = {}
        for _, field in ipairs(fields) do
            known[field] = false
        end
        counters = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NEVER }
    end
    before = total()
end

local function waiting(id)
    if tickets[id] == nil then
        local value = get('t' .. id)
        local waits = value and string.sub(value, 1, 1) == 'W'
        packed[id] = waits and string.sub(value, 2)
        tickets[id] = waits and cmsgpack.unpack(packed[id])
    end
    return tickets[id]
end

local function outcome(room)
    if outcomes[room] == nil then
        local value = get('o' .. room)
        local o = value and cmsgpack.unpack(value)
        if o then
            o[ARRIVED] = cmsgpack.unpack(o[ARRIVED])
            o[WAITED] = cmsgpack.unpack(o[WAITED])
        end
        outcomes[room] = o
    end
    return outcomes[room]
end

-- The room that this ticket was paired for.
local function room_of(id)
    local value = get('t' .. id)
    return value and string.sub(value, 1, 1) == 'P' and string.sub(value, 2)
end

-- Somebody without tags has none to share: their first phase restricts nothing.
local function open_to_anyone(t)
    return t[PHASE] >= 1 or t[TAGS] == ''
end

-- All sets of these tags, by their size; each begins with the size, so that none begins another.
local function tag_sets(tags)
    local count = #tags / TAG_BYTES
    local sets = {}
    for size = 1, count do
        sets[size] = {}
    end
    for mask = 1, 2 ^ count - 1 do
        local chosen, size = '', 0
        for i = 0, count - 1 do
            if bit.band(mask, bit.lshift(1, i)) ~= 0 then
                chosen = chosen .. string.sub(tags, i * TAG_BYTES + 1, (i + 1) * TAG_BYTES)
                size = size + 1
            end
        end
        table.insert(sets[size], string.char(size) .. chosen)
    end
    return sets
end

-- Under which a ticket stands: each set of its tags and, once it is open to anyone, the empty one.
local function places(t)
    local tail = string.char(t[CLASS]) .. struct.pack('>I8I8', t[SINCE], t[SERIAL]) .. t[ID]
    local all = {}
    for _, sets in ipairs(tag_sets(t[TAGS])) do
        for _, tags in ipairs(sets) do
            table.insert(all, tags .. tail)
        end
    end
    if open_to_anyone(t) then
        table.insert(all, '\0' .. tail)
    end
    return all
end

-- Who waits in a browser: user id, ticket id, user id, …
local function names(session)
    local value = get('s' .. session)
    return value and cmsgpack.unpack(value) or {}
end

-- The ticket that waits under this name.
local function namesake(session, user)
    local all = names(session)
    for i = 1, #all, 2 do
        if all[i] == user then
            return all[i + 1]
        end
    end
end

local function count(t, change)
    counters[t[CLASS] + 1] = counters[t[CLASS] + 1] + change
end

-- Begins another lease for this 't…' or 'o…'.
local function hold(member)
    due[member] = now + lease
    counters[NEXT_DUE] = math.min(counters[NEXT_DUE], now + lease)
end

-- Lets somebody wait for a lease. Their name must be free.
local function queue(t)
    for _, place in ipairs(places(t)) do
        lines[place] = 0
    end
    local all = names(t[SESSION])
    table.insert(all, t[USER])
    table.insert(all, t[ID])
    set('s' .. t[SESSION], cmsgpack.pack(all))
    set('t' .. t[ID], 'W' .. cmsgpack.pack(t))
    tickets[t[ID]] = t
    hold('t' .. t[ID])
    count(t, 1)
end

-- Takes a waiting ticket out of everything.
local function remove(t)
    for _, place in ipairs(places(t)) do
        lines[place] = false
    end
    local all, left = names(t[SESSION]), {}
    for i = 1, #all, 2 do
        if all[i + 1] ~= t[ID] then
            table.insert(left, all[i])
            table.insert(left, all[i + 1])
        end
    end
    set('s' .. t[SESSION], #left > 0 and cmsgpack.pack(left))
    set('t' .. t[ID], false)
    tickets[t[ID]] = false
    due['t' .. t[ID]] = false
    count(t, -1)
    taken_out = taken_out + 1
end

-- Keeps a pairing for a lease.
local function keep(room, o)
    local waited = packed[o[WAITED][ID]] or cmsgpack.pack(o[WAITED])
    set('o' .. room, cmsgpack.pack({ cmsgpack.pack(o[ARRIVED]), waited, o[MET] }))
    outcomes[room] = o
    for side = ARRIVED, WAITED do
        set('t' .. o[side][ID], 'P' .. room)
        tickets[o[side][ID]] = false
    end
    hold('o' .. room)
end

-- Takes an outcome out of everything.
local function forget(room, o)
    set('o' .. room, false)
    outcomes[room] = false
    for side = ARRIVED, WAITED do
        set('t' .. o[side][ID], false)
    end
    due['o' .. room] = false
end

-- Whether the lease of this 't…' or 'o…' is over.
local function over(member)
    if due[member] or swept then
        return false
    end
    local till = redis.call('ZSCORE', DUE, member)
    return not till or tonumber(till) <= now
end

-- Takes out up to so many whose lease is over.
local function sweep(limit)
    if now < counters[NEXT_DUE] then
        swept = true
        return
    end
    local ended = redis.call('ZRANGE', DUE, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)
    for _, member in ipairs(ended) do
        local id = string.sub(member, 2)
        if string.sub(member, 1, 1) == 't' then
            local t = waiting(id)
            if t then
                remove(t)
            end
        else
            local o = outcome(id)
            if o then
                forget(id, o)
            end
        end
        due[member] = false
    end
    swept = #ended < limit
    if swept then
        local next_one = redis.call(
            'ZRANGE', DUE, '(' .. now, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES'
        )
        counters[NEXT_DUE] = tonumber(next_one[2]) or NEVER
        set('#', '')
    end
end

-- Another lease for whatever this ticket is: the waiting ticket, or the room and its outcome.
-- Past its lease it is taken out.
local function renew(id)
    local t = waiting(id)
    if t then
        if over('t' .. id) then
            remove(t)
            return
        end
        hold('t' .. id)
        return t
    end
    local room = room_of(id)
    local o = room and outcome(room)
    if o then
        if over('o' .. room) then
            forget(room, o)
            return
        end
        hold('o' .. room)
        return nil, room, o
    end
end

-- One command for many arguments, in pieces that Lua's stack can hold.
local function command(name, key, arguments)
    for from = 1, #arguments, BATCH do
        redis.call(name, key, unpack(arguments, from, math.min(from + BATCH - 1, #arguments)))
    end
end

-- Writes scores; `false` removes. Adding goes first: an emptied key would lose its expiry. Scores
-- only rise: clocks may go backwards, a lease does not.
local function write_scores(key, wanted)
    local add, drop = {}, {}
    for member, score in pairs(wanted) do
        if score then
            add[#add + 1] = score
            add[#add + 1] = member
        else
            drop[#drop + 1] = member
        end
    end
    for from = 1, #add, BATCH do
        local to = math.min(from + BATCH - 1, #add)
        redis.call('ZADD', key, 'GT', unpack(add, from, to))
    end
    command('ZREM', key, drop)
    return #add > 0
end

local function write_fields()
    set('#', struct.pack(COUNTERS, unpack(counters)))
    local add, drop = {}, {}
    for field in pairs(changed) do
        local value = known[field]
        if value then
            add[#add + 1] = field
            add[#add + 1] = value
        else
            drop[#drop + 1] = field
        end
    end
    command('HSET', POOL, add)
    command('HDEL', POOL, drop)
end

-- Writes everything. Ends every script.
local function write()
    local stale = counters[KEPT_UNTIL] < clock + silence / 2
    if stale then
        counters[KEPT_UNTIL] = clock + silence
    end
    local held = write_scores(DUE, due)
    if not held and redis.call('EXISTS', DUE) == 0 then
        redis.call('DEL', POOL, LINES)
        return
    end
    local queued = write_scores(LINES, lines)
    if stale or next(changed) then
        write_fields()
    end
    if stale then
        redis.call('PEXPIREAT', POOL, clock + silence)
        redis.call('PEXPIREAT', DUE, clock + silence)
    end
    -- An empty queue was gone, and its expiry with it.
    if stale or (queued and before <= taken_out) then
        redis.call('PEXPIREAT', LINES, counters[KEPT_UNTIL])
    end
end

-- How the callers are told of a pairing, and of whom the ticket took the name from.
local function paired(room, o, replaced, told_at)
    local answer = { 'P', replaced, told_at, room, o[MET] }
    for side = ARRIVED, WAITED do
        for _, part in ipairs({ ID, SESSION, ADDRESS, BODY }) do
            table.insert(answer, o[side][part])
        end
    end
    return answer
end
