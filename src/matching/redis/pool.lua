-- What the scripts of the waiting pool share; each script is this text, `ticket.lua`,
-- `budget.lua`, `lane.lua` and its own.
--
-- Four keys in one slot hold everything:
--   POOL   a hash of all that is looked up by name; names are a letter and the id's 16 bytes, and go by
--          that name everywhere:
--          't…'   of a ticket: how it waits (it begins with 'W', see `ticket.lua`), or the name of the
--                 room it was paired for
--          'o…'   of a room to be, an outcome: both tickets as they were, and which tags count between them
--          's…'   of a session, who waits in this browser: length of the user id, user id, ticket, …
--          'p…'   of a network (8 bytes), which of its tickets stand in the front, each with since when
--          '#'    packed: twelve counters by class, the last serial, when the keys expire, a moment
--                 before which no lease ends
--   DUE    a sorted set of 't…' and 'o…' by the end of their lease
--   LINES  the queues, as one sorted set in order of bytes: how many tags, the tags, the class, the
--          beginning of the wait, the serial, the ticket; before all that, of tickets of a crowd, a 4
--          and the network
--   SPENT  a sorted set of networks that met others lately, and of pairs of them (16 bytes), by when
--          their budget is full again
--
-- Nothing is written before the end (`write`), so a script that fails has changed nothing.
-- Strings are never compared by `<`: Redis sorts them by the server's locale.
--
-- All of this runs anew for each call, and takes longer than the commands it gives: a string costs a
-- look at each of its bytes whenever one is made, a function a look at each variable that it shares.
-- Hence ids that are names already, few strings made only to be looked at, and long ones made once.

local POOL, DUE, LINES, SPENT = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

local call, byte, char, sub = redis.call, string.byte, string.char, string.sub

local CLASSES = 12
-- The places of '#', after the twelve counters.
local LAST_SERIAL, KEPT_UNTIL, NEXT_DUE = 13, 14, 15
-- How '#' is packed.
local COUNTERS = '>I4I4I4I4I4I4I4I4I4I4I4I4I8I8I8'
local NEVER = 2 ^ 52
-- How many ends of leases are looked at for each ticket of a call: more than it begins.
local UPKEEP = 4
-- Arguments of one command; Lua's stack holds 8,000.
local BATCH = 1000

local time = call('TIME')
local clock = time[1] * 1000 + math.floor(time[2] / 1000)
-- Leases go by the one clock that all nodes share. Tests hand in their own.
local now = tonumber(ARGV[1]) or clock
local lease = tonumber(ARGV[2])
-- How often a network meets others in a minute, and at once; 0: as often as it likes.
local per_minute = tonumber(ARGV[3])
-- How long a search is open to anyone before it meets crowds as well.
local tag_patience = tonumber(ARGV[4])
-- A pool that no node has touched for four leases, and at least a minute, is gone.
local silence = math.max(60000, 4 * lease)

-- Fields of POOL as they are, and as they shall be; false: not there.
local known, wanted = {}, {}
-- Tickets that wait, by id, as tables; false: does not wait.
local tickets = {}
-- Tickets that wait from now on: they are put into the queues in the end.
local queued = {}
-- Members of DUE and LINES: true shall be there (in DUE for another lease), false shall not.
local due, lines = {}, {}
-- '#', how many wait, how many waited at the beginning, and how many of those were taken out.
local counters, waiting_count, before
local taken_out = 0
-- Whether everything whose lease was over has been taken out.
local swept = false

local function get(field)
    local value = wanted[field]
    if value == nil then
        value = known[field]
        if value == nil then
            value = call('HGET', POOL, field)
            known[field] = value
        end
    end
    return value
end

-- Reads these fields at once.
local function fetch(fields)
    local values = call('HMGET', POOL, unpack(fields))
    for i = 1, #fields do
        known[fields[i]] = values[i]
    end
end

-- No ticket waits.
local function empty()
    counters = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NEVER }
    waiting_count, before = 0, 0
end

-- Reads these fields, of which the first is '#'. Begins every script.
local function open(fields)
    fetch(fields)
    if known['#'] then
        local c = { struct.unpack(COUNTERS, known['#']) }
        counters = c
        waiting_count = c[1] + c[2] + c[3] + c[4] + c[5] + c[6] + c[7] + c[8] + c[9] + c[10] + c[11] + c[12]
        before = waiting_count
    else
        -- Should Redis have evicted one key, the others are worth nothing.
        call('DEL', POOL, DUE, LINES)
        for i = 1, #fields do
            known[fields[i]] = false
        end
        empty()
    end
end

-- Begins another lease for this 't…' or 'o…'.
local function hold(member)
    due[member] = true
    if now + lease < counters[NEXT_DUE] then
        counters[NEXT_DUE] = now + lease
    end
end

-- Whether the lease of this 't…' or 'o…' is over.
local function over(member)
    if swept or due[member] then
        return false
    end
    local till = call('ZSCORE', DUE, member)
    return not till or tonumber(till) <= now
end

-- A command with its arguments, of which the first `fixed` begin each piece that Lua's stack can hold.
local function command(words, fixed)
    if #words == fixed then
        return
    elseif #words <= BATCH then
        call(unpack(words))
        return
    end
    for from = fixed + 1, #words, BATCH do
        local piece = { unpack(words, 1, fixed) }
        for i = from, math.min(from + BATCH - 1, #words) do
            piece[#piece + 1] = words[i]
        end
        call(unpack(piece))
    end
end

-- Writes members; `false` removes. Adding goes first: an emptied key would lose its expiry. Scores
-- only rise: clocks may go backwards, a lease does not.
local function write_members(key, members, score)
    local add, drop = { 'ZADD', key, 'GT' }, { 'ZREM', key }
    local adds, drops = 3, 2
    for member, there in pairs(members) do
        if there then
            add[adds + 1], add[adds + 2] = score, member
            adds = adds + 2
        else
            drops = drops + 1
            drop[drops] = member
        end
    end
    command(add, 3)
    command(drop, 2)
    return adds > 3
end

local function write_fields()
    wanted['#'] = struct.pack(COUNTERS, unpack(counters))
    local add, drop = { 'HSET', POOL }, { 'HDEL', POOL }
    local adds, drops = 2, 2
    for field, value in pairs(wanted) do
        if value ~= known[field] then
            if value then
                add[adds + 1], add[adds + 2] = field, value
                adds = adds + 2
            else
                drops = drops + 1
                drop[drops] = field
            end
        end
    end
    command(add, 2)
    command(drop, 2)
end
