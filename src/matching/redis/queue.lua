-- The queues as one search walks them, and what it remembers.
--
-- Several tickets may arrive in one call, one after the other. Who waits since an earlier one of them
-- is in no key yet: each queue goes on in `fresh`. What was read of the queues in Redis is kept for
-- the tickets that follow, in `stored`; who was taken out since is passed over.

-- How many tickets that do not fit are looked at for each number of shared tags. Each number has
-- its own allowance, so that many blocked people with the searcher's tags hide no other ticket.
local SKIPS = 64
-- How many more of one queue are fetched at once when its head does not do.
local AHEAD = 16
-- Among how many of the longest waiting a partner is drawn.
local WINDOW = 8
-- After so many sessions that are barred, their tickets are looked up once instead of one by one.
local BARRED = 16
-- How many tickets with a free tag are looked at to know whether it counts, and how many others have
-- to wait with it.
local WITH_TAG, OTHERS_WITH_TAG = 32, 3
-- About how many are taken out of their place by one call, because their network has spent its budget or
-- their lease is over. Each is moved once, but a hundred thousand may be due at once, and Redis does nothing
-- else meanwhile. Of each lane one window is looked at all the same.
local MOVES = 64
-- How many other networks' crowds one look goes through.
local CROWDS = 8

-- Whether a ticket of a class (counted from 1) may be in the queues in Redis.
local there = {}
-- What `classes_for` found.
local welcome = {}
-- Queues by their key, each a list of places by age.
local stored, fresh = {}, {}
-- Whether a ticket stands in Redis under this set of tags.
local inhabited = {}
-- Networks in whose crowds a ticket waits since earlier in this call.
local fresh_crowds = {}
-- Of the search under way: whether my network has spent its budget, and whether I have waited long
-- enough to meet crowds; whether half of that budget is gone, and who of my network has waited longer
-- than I, once that was asked; my tags that count between me and others, within my network, and with
-- either of them; how many barred ones were met, and all their tickets; who was just moved to a
-- crowd; where the next look goes on; and whether a crowd was left because enough had been taken out.
local me_spent, patient
local my_half_gone, my_elders
local tags_for_others, tags_for_own, tags_in_front
local barred_seen, barred
local just_crowded, resume, left_a_crowd
-- How many were taken out of their place by this call.
local moves = 0

-- The classes that this one could meet: at most six. A class is a gender (male, female, other) and a
-- wish (all, male, female, other). Found once for each class of a call.
local function classes_for(me)
    local all = welcome[me.class]
    if not all then
        local wish = me.class % 4
        local gender = (me.class - wish) / 4
        local from, to = 0, 2
        if wish > 0 then
            from, to = wish - 1, wish - 1
        end
        all = { stored = 0 }
        for theirs = from, to do
            -- Those of this gender who take anyone, and those who want mine.
            for class = 4 * theirs, 4 * theirs + gender + 1, gender + 1 do
                all[#all + 1] = class
                all.stored = all.stored + (there[class + 1] and 1 or 0)
            end
        end
        welcome[me.class] = all
    end
    return all
end

-- Makes a ticket that waits from now on known to those who arrive later in this call.
function stand(t)
    if t.crowded then
        fresh_crowds[t.narrow] = true
    end
    local since, serial = struct.unpack('>I8I8', t.stamp)
    local place = { since = since, serial = serial, id = t.id, ticket = t }
    for _, key in ipairs(queues(t)) do
        local line = fresh[key]
        if not line then
            line = { begin = 1, ended = true }
            fresh[key] = line
        end
        local at = #line
        while at >= line.begin and (line[at].since > since or
            (line[at].since == since and line[at].serial > serial)) do
            at = at - 1
        end
        table.insert(line, at + 1, place)
    end
end

-- Reads on in a queue in Redis.
local function read_on(line)
    local limit = #line > 0 and AHEAD or 1
    local range = call('ZRANGE', LINES, line.from, line.to, 'BYLEX', 'LIMIT', 0, limit)
    for i = 1, #range do
        local member = range[i]
        local since, serial = struct.unpack('>I8I8', member, line.key_bytes + 1)
        line[#line + 1] =
            { since = since, serial = serial, id = sub(member, -17), member = member }
    end
    line.ended = #range < limit
    if #range > 0 then
        line.from = '(' .. range[#range]
    end
end

-- Goes on to the next of a queue; false at its end. Who was taken out earlier in this call is passed
-- over, for ever at the head of the queue.
local function advance(cursor)
    local line, at = cursor.line, cursor.at
    while true do
        at = at + 1
        local place = line[at]
        if not place and not line.ended then
            read_on(line)
            place = line[at]
        end
        cursor.at, cursor.place = at, place
        if not place then
            return false
        elseif place.ticket then
            if queued[place.ticket] then
                return true
            end
        elseif lines[place.member] ~= false then
            return true
        end
        if at == line.begin then
            line.begin = at + 1
        end
    end
end

-- Adds the head of a queue, if a ticket stands in it.
local function add_head(heads, line)
    local cursor = { line = line, at = line.begin - 1, place = false }
    if advance(cursor) then
        heads[#heads + 1] = cursor
    end
end

-- Whether a ticket stands in Redis under this set of tags: worth one look before those at each class.
local function any_stored(tags, classes)
    if classes.stored <= 2 or #tags == 1 then
        return true
    end
    local any = inhabited[tags]
    if any == nil then
        local range =
            call('ZRANGE', LINES, '[' .. tags, '(' .. tags .. char(CLASSES), 'BYLEX', 'LIMIT', 0, 1)
        any = #range > 0
        inhabited[tags] = any
    end
    return any
end

-- A queue in Redis, of which nothing was read yet; from its head, or from behind a place on.
local function unread(tags, class, key, behind)
    return {
        begin = 1,
        key_bytes = #key,
        from = '[' .. key .. (behind and struct.pack('>I8I8', behind.since, behind.serial + 1) or ''),
        to = '(' .. tags .. char(class + 1),
        ended = false,
    }
end

-- Adds the heads of the queues of these classes under a set of tags.
local function heads_of(tags, classes, heads, behind)
    for i = 1, #classes do
        local class = classes[i]
        local key = tags .. char(class)
        local line = fresh[key]
        if line then
            add_head(heads, line)
        end
        if there[class + 1] and any_stored(tags, classes) then
            line = not behind and stored[key]
            if not line then
                line = unread(tags, class, key, behind)
                if not behind then
                    stored[key] = line
                end
            end
            add_head(heads, line)
        end
    end
end

-- Which of these queues goes on with the one who waits longest; at most 36 are compared.
local function oldest(heads)
    local best = 1
    for i = 2, #heads do
        local a, b = heads[i].place, heads[best].place
        if a.since < b.since or (a.since == b.since and a.serial < b.serial) then
            best = i
        end
    end
    return best
end
