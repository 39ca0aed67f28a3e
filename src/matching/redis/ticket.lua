-- Tickets, pairings and leases, for all scripts.
--
-- A ticket that waits is kept as
--   'W' in the front or 'Y' in its network's crowd,
--   its beginning (8 bytes), its serial (8),            the moment and the order by which it is found
--   the ticket it took the name from (17), where that one is told (16); zeros: none
--   and the ticket as its node packed it (`codec.rs`), of which these bytes are looked into:
--   name (17), session (17), address (16), attempt (8), class (1), phase and a bit for
--   each language named, from 4 on (1), lengths of user id (1),
--   tags (1), blocked sessions (4), sessions met lately (4), prefixes (3 × 8), the narrowest first;
--   then those of which the lengths were given; then three marks (8 each), how many marks are held
--   against others (1), and those (8 each).
-- A tag is 8 bytes: of a topic of the pages the first bit is clear, of any other it is set.
-- An outcome is kept as '0' plus 1, 2 and 4 for those tags of the ticket that arrived, in the order of
-- its bytes, which count between the two; the length (4) of the ticket that arrived, that ticket, and
-- the one that waited.

-- What stands before the ticket as its node packed it.
local FRONT = 50
local NONE_REPLACED = string.rep('\0', 33)
-- What stands for a network that is not known.
local NOWHERE = string.rep('\0', 8)
-- How many tickets of one network stand in the front.
local FRONT_TICKETS = 5
-- What stands in a network's front of each of them: its id, and since when (8 bytes).
local PLACE = 25
-- What a network may have spent at once is refilled in this time; and what it may owe.
local REFILLED, MOST_OWED = 60000, 120000
-- A pair of networks meets this part as often as a network does.
local PAIR_SHARE = 5

-- When the budgets of networks and pairs are full again, as far as was asked; and those that changed.
local full_at, paid = {}, {}

-- What the scripts look into of a packed ticket that begins after so many bytes.
local function parse(packed, front)
    local class, phase, users, tags, blocked, recent =
        struct.unpack('>BBBBI4I4', packed, front + 59)
    local tags_at = front + 95 + users
    local blocked_at = tags_at + tags
    local recent_at = blocked_at + blocked
    local narrow = sub(packed, front + 71, front + 78)
    local languages = math.floor(phase / 4)
    phase = phase % 4
    return {
        id = sub(packed, front + 1, front + 17),
        session = sub(packed, front + 18, front + 34),
        class = class,
        phase = phase,
        languages = languages,
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
        -- Since when it stood in the front before this call took it out (8 bytes).
        stood = false,
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

-- A search without tags has none to share: its first phase restricts nothing.
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
    waiting_count = waiting_count + change
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
