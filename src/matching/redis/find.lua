-- Who is the best partner for a ticket that arrives: by the rules and in the order of `rule.rs`.
--
-- Several tickets may arrive in one call, one after the other. Who waits since an earlier one of them
-- is in no key yet: each queue goes on in `fresh`. What was read of the queues in Redis is kept for
-- the tickets that follow, in `stored`; who was taken out since is passed over.

-- How many tickets that do not fit are looked at for each number of shared tags. Each number has
-- its own allowance, so that a crowd of blocked people with one's own tags hides nobody else.
local SKIPS = 64
-- How many more of one queue are fetched at once when its head does not fit.
local AHEAD = 16

-- Whether anybody of a class (counted from 1) may be in the queues in Redis.
local there = {}
-- What `classes_for` found.
local welcome = {}
-- Queues by their key, each a list of places by age.
local stored, fresh = {}, {}
-- Whether anybody stands in Redis under this set of tags.
local inhabited = {}

-- The classes whom this one could meet: at most six. A class is a gender (male, female, other) and a
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
local function stand(t)
    local since, serial = t.since, t.serial
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

-- Adds the head of a queue, if somebody stands in it.
local function add_head(heads, line)
    local cursor = { line = line, at = line.begin - 1, place = false }
    if advance(cursor) then
        heads[#heads + 1] = cursor
    end
end

-- Somebody stands in Redis under this set of tags: worth one look before those at each class.
local function any_stored(tags, classes)
    if classes.stored <= 2 or tags == '\0' then
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

-- Adds the heads of the queues of these classes under a set of tags.
local function heads_of(tags, classes, heads)
    for i = 1, #classes do
        local class = classes[i]
        local key = tags .. char(class)
        local line = fresh[key]
        if line then
            add_head(heads, line)
        end
        if there[class + 1] and any_stored(tags, classes) then
            line = stored[key]
            if not line then
                line = {
                    begin = 1,
                    key_bytes = #key,
                    from = '[' .. key,
                    to = '(' .. tags .. char(class + 1),
                    ended = false,
                }
                stored[key] = line
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

-- Whether a list of sessions, put end to end between these places of a ticket, holds this one.
local function holds(t, from, to, session)
    local at = from < to and string.find(t.packed, session, from, true)
    while at and at < to do
        if (at - from) % 17 == 0 then
            return true
        end
        at = string.find(t.packed, session, at + 1, true)
    end
    return false
end

local function blocked(a, b)
    return holds(a, a.blocked_at, a.recent_at, b.session)
end

local function met_before(a, b)
    return holds(a, a.recent_at, a.body_at, b.session) or
        holds(b, b.recent_at, b.body_at, a.session)
end

-- Whether a holds a mark of b against it: three marks stand behind the sessions met lately, then how many
-- are held, then those. A mark that is not there is 0, which nobody holds.
local function holds_mark(a, b)
    local count = byte(a.packed, a.body_at + 24)
    for at = a.body_at + 25, a.body_at + 17 + 8 * count, 8 do
        local mark = sub(a.packed, at, at + 7)
        for other = b.body_at, b.body_at + 16, 8 do
            if mark == sub(b.packed, other, other + 7) then
                return true
            end
        end
    end
    return false
end

-- Whether the rules that no queue stands for let two meet.
local function fits(me, other)
    if me.user == other.user then
        return false
    elseif me.session == other.session then
        return true
    elseif blocked(me, other) or blocked(other, me) then
        return false
    elseif holds_mark(me, other) or holds_mark(other, me) then
        return false
    end
    return (me.phase >= 2 and other.phase >= 2) or not met_before(me, other)
end

-- Walks through these queues as one, by age, until somebody fits. Who stands in two of them comes
-- up twice in a row, because the age is the same in both.
local function first(heads, me)
    local last
    local looked = 0
    while #heads > 0 and looked < SKIPS do
        local best = oldest(heads)
        local place = heads[best].place
        if place.id ~= last then
            last = place.id
            looked = looked + 1
            local other = place.ticket or waiting(last)
            if not other then
                lines[place.member] = false
            elseif over(last) then
                remove(other)
            elseif other.session ~= me.session and fits(me, other) then
                return other
            end
        end
        if not advance(heads[best]) then
            table.remove(heads, best)
        end
    end
end

local function find_other(me)
    if waiters == 0 then
        return
    end
    local classes = classes_for(me)
    if me.tags ~= '' then
        local sets = tag_sets(me.tags)
        for size = #sets, 1, -1 do
            local heads = {}
            for _, tags in ipairs(sets[size]) do
                heads_of(tags, classes, heads)
            end
            local found = first(heads, me)
            if found then
                return found
            end
        end
    end
    if open_to_anyone(me) then
        local heads = {}
        heads_of('\0', classes, heads)
        return first(heads, me)
    end
end

local function shared_tags(a, b)
    local count = 0
    for at = 1, #a.tags, 8 do
        local tag = sub(a.tags, at, at + 7)
        for other = 1, #b.tags, 8 do
            if sub(b.tags, other, other + 7) == tag then
                count = count + 1
            end
        end
    end
    return count
end

-- Whether the genders and the tags of two let them meet, as their queues would have it.
local function tabs_fit(me, tab, shared)
    local accepted = false
    for _, class in ipairs(classes_for(me)) do
        accepted = accepted or class == tab.class
    end
    return accepted and fits(me, tab) and
        (shared > 0 or (open_to_anyone(me) and open_to_anyone(tab)))
end

-- The tab of the same browser that fits best: the last resort.
local function find_other_tab(me)
    local all, best, best_shared, best_since, best_serial = get(me.session), nil, -1, 0, 0
    local at, looked = 1, 0
    while all and at <= #all and looked < SKIPS do
        at = at + byte(all, at) + 18
        looked = looked + 1
        local tab = waiting(sub(all, at - 17, at - 1))
        if tab and not over(tab.id) then
            local shared = shared_tags(me, tab)
            local since, serial = struct.unpack('>I8I8', tab.stamp)
            if tabs_fit(me, tab, shared) and (shared > best_shared or (shared == best_shared and
                (since < best_since or (since == best_since and serial < best_serial)))) then
                best, best_shared, best_since, best_serial = tab, shared, since, serial
            end
        end
    end
    return best
end
