-- Who is the best partner for a ticket that arrives: by the rules and in the order of `rule.rs`.
--
-- Several tickets may arrive in one call, one after the other. Who waits since an earlier one of them
-- is in no key yet: each queue goes on in `fresh`. What was read of the queues in Redis is kept for
-- the tickets that follow, in `stored`; who was taken out since is passed over.

-- How many tickets that do not fit are looked at for each number of shared tags. Each number has
-- its own allowance, so that a crowd of blocked people with one's own tags hides nobody else.
local SKIPS = 64
-- How many more of one queue are fetched at once when its head does not do.
local AHEAD = 16
-- Among how many of the longest waiting a partner is drawn.
local WINDOW = 8
-- After so many sessions that are barred, their tickets are looked up once instead of one by one.
local BARRED = 16
-- How many tickets with a free tag are looked at to know whether it counts, and how many others have
-- to wait with it.
local WITH_TAG, OTHERS_WITH_TAG = 32, 2
-- How many other networks' crowds one look goes through.
local CROWDS = 8

-- After how long somebody meets crowds as well.
local tag_patience = tonumber(ARGV[8])

-- Whether anybody of a class (counted from 1) may be in the queues in Redis.
local there = {}
-- What `classes_for` found.
local welcome = {}
-- Queues by their key, each a list of places by age.
local stored, fresh = {}, {}
-- Whether anybody stands in Redis under this set of tags.
local inhabited = {}
-- Networks in whose crowds somebody waits since earlier in this call.
local fresh_crowds = {}
-- Of the search under way: whether my network has spent its budget, and whether I have waited long
-- enough to meet crowds; my free tags that count between me and others, and within my network (false:
-- I have none); how many barred ones were met, and all their tickets; who was just moved to a crowd;
-- and where the next look goes on.
local me_spent, patient
local tags_for_others, tags_for_own
local barred_seen, barred
local just_crowded, resume

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

-- Adds the head of a queue, if somebody stands in it.
local function add_head(heads, line)
    local cursor = { line = line, at = line.begin - 1, place = false }
    if advance(cursor) then
        heads[#heads + 1] = cursor
    end
end

-- Somebody stands in Redis under this set of tags: worth one look before those at each class.
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
    if me.session == other.session then
        return true
    elseif blocked(me, other) or blocked(other, me) then
        return false
    elseif holds_mark(me, other) or holds_mark(other, me) then
        return false
    end
    return (me.phase >= 2 and other.phase >= 2) or not met_before(me, other)
end

-- Takes one of these places out, each as likely as its weight.
local function draw(window)
    local count = #window
    local chosen = count
    if count > 1 then
        local total = 0
        for i = 1, count do
            total = total + math.max(0, now - window[i].since) + 1
        end
        local left = math.random() * total
        for i = 1, count do
            left = left - math.max(0, now - window[i].since) - 1
            if left < 0 then
                chosen = i
                break
            end
        end
    end
    local place = window[chosen]
    window[chosen] = window[count]
    window[count] = nil
    return place
end

-- How many of these tags somebody has.
local function shared_tags(tags, other)
    local count = 0
    for at = 1, #tags, 8 do
        local tag = sub(tags, at, at + 7)
        for their_at = 1, #other.tags, 8 do
            if sub(other.tags, their_at, their_at + 7) == tag then
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

-- My tags that count between me and this one.
local function counting_with(me, other)
    return me.narrow and me.narrow == other.narrow and tags_for_own or tags_for_others
end

-- Once many were met whom I know to be barred: the tickets of all of them.
local function note_barred(me)
    barred_seen = barred_seen + 1
    if barred_seen ~= BARRED then
        return
    end
    barred = {}
    local to = me.phase >= 2 and me.recent_at or me.body_at
    for from = me.blocked_at, to - 1, 17 * BATCH do
        local sessions = {}
        for at = from, math.min(from + 17 * BATCH, to) - 1, 17 do
            sessions[#sessions + 1] = sub(me.packed, at, at + 16)
        end
        fetch(sessions)
        for _, session in ipairs(sessions) do
            local all, at = get(session) or '', 1
            while at <= #all do
                at = at + byte(all, at) + 18
                barred[sub(all, at - 17, at - 1)] = true
            end
        end
    end
end

-- Whether a budget keeps me apart from somebody who stands in the front, or in a crowd.
local function kept_apart(me, other, in_front)
    if spent(other, me) then
        if in_front then
            move(other, true)
            stand(other)
            just_crowded[#just_crowded + 1] = other
            return true, true
        elseif not patient then
            return true, false
        end
    end
    if me_spent and spent(me, other) then
        local since = struct.unpack('>I8', other.stamp)
        return now - since < tag_patience, false
    end
    return false, false
end

-- Looks at one place: who stands there, if they fit; and else whether that costs a look. Who can never
-- fit, or is not met again in this place, costs none.
local function look(me, place, size, in_front)
    local id = place.id
    if barred and barred[id] then
        return nil, false
    end
    local other = place.ticket or waiting(id)
    if not other then
        lines[place.member] = false
        return nil, false
    elseif over(id) then
        remove(other)
        return nil, false
    elseif other.session == me.session or (in_front and other.crowded) then
        return nil, false
    end
    if holds(me, me.blocked_at, me.phase >= 2 and me.recent_at or me.body_at, other.session) then
        note_barred(me)
        return nil, false
    end
    local apart_now, moved = kept_apart(me, other, in_front)
    if apart_now then
        return nil, not moved
    end
    if me.free and shared_tags(counting_with(me, other), other) < size then
        return nil, false
    end
    local repeats = me.phase >= 2 and other.phase >= 2
    if holds(other, other.blocked_at, repeats and other.recent_at or other.body_at, me.session) or
        (me.phase >= 2 and other.phase < 2 and holds(me, me.recent_at, me.body_at, other.session)) or
        holds_mark(me, other) or holds_mark(other, me) then
        return nil, true
    end
    return other
end

-- Takes the next places of these queues, by age. Who stands in two of them comes up twice in a row,
-- because the age is the same in both. With a spent budget only those of the front who have waited long
-- enough; they stand first. Answers the last of them.
local function fill(window, heads, last, in_front)
    local latest = me_spent and in_front and now - tag_patience
    while #heads > 0 and #window < WINDOW do
        local best = oldest(heads)
        local place = heads[best].place
        if latest and place.since > latest then
            return last
        end
        if not last or place.id ~= last.id then
            last = place
            window[#window + 1] = place
        end
        if not advance(heads[best]) then
            table.remove(heads, best)
        end
    end
    return last
end

-- Draws among the first of these queues who fit, then among the next, within the allowance.
local function first(heads, me, size, in_front)
    local window, last, looked = {}, nil, 0
    while looked < SKIPS do
        last = fill(window, heads, last, in_front)
        if #window == 0 then
            return
        end
        while #window > 0 do
            local other, costs = look(me, draw(window), size, in_front)
            if other then
                return other
            end
            looked = looked + (costs and 1 or 0)
        end
    end
    if in_front and not resume then
        resume = struct.pack('>BI8I8', size, last.since, last.serial)
    end
end

-- All who may suit in a lane (the front is ''), most shared tags first; `behind`: from there on.
local function walk(me, lane, tags, behind)
    local classes = classes_for(me)
    if tags ~= '' then
        local sets = tag_sets(tags)
        for size = math.min(#sets, behind and behind.size or 3), 1, -1 do
            local heads = {}
            for _, set in ipairs(sets[size]) do
                heads_of(lane .. set, classes, heads, behind and behind.size == size and behind)
            end
            local found = first(heads, me, size, lane == '')
            if found then
                return found
            end
        end
    end
    if open_to_anyone(me) then
        local heads = {}
        heads_of(lane .. '\0', classes, heads, behind and behind.size == 0 and behind)
        return first(heads, me, 0, lane == '')
    end
end

-- Whoever waits with this tag, as far as it matters: adds the other networks and sessions. A ticket of no
-- known network stands for itself.
local function add_with_tag(me, tags, networks_seen, sessions_seen)
    local function add(other)
        if other.session == me.session or over(other.id) then
            return
        end
        sessions_seen[other.session] = true
        if not other.narrow then
            networks_seen[other.session] = true
        elseif other.narrow ~= me.narrow then
            networks_seen[other.narrow] = true
        end
    end
    local range =
        call('ZRANGE', LINES, '[' .. tags, '(' .. tags .. char(CLASSES), 'BYLEX', 'LIMIT', 0, WITH_TAG)
    for _, member in ipairs(range) do
        local other = lines[member] ~= false and waiting(sub(member, -17))
        if other then
            add(other)
        end
    end
    for class = 0, CLASSES - 1 do
        for _, place in ipairs(fresh[tags .. char(class)] or {}) do
            if queued[place.ticket] then
                add(place.ticket)
            end
        end
    end
end

local function enough(seen)
    local count = 0
    for _ in pairs(seen) do
        count = count + 1
    end
    return count >= OTHERS_WITH_TAG
end

-- Finds out which of my tags count: topics always do, others when enough people wait with them.
local function count_tags(me)
    me.free = false
    tags_for_others, tags_for_own = me.tags, me.tags
    for at = 1, #me.tags, 8 do
        me.free = me.free or byte(me.tags, at) >= 128
    end
    if not me.free then
        return
    end
    tags_for_others, tags_for_own = '', ''
    for at = 1, #me.tags, 8 do
        local tag = sub(me.tags, at, at + 7)
        local others, own = true, true
        if byte(tag) >= 128 then
            local networks_seen, sessions_seen = {}, {}
            add_with_tag(me, '\1' .. tag, networks_seen, sessions_seen)
            if me.narrow then
                add_with_tag(me, '\4' .. me.narrow .. '\1' .. tag, networks_seen, sessions_seen)
            end
            others, own = enough(networks_seen), enough(sessions_seen)
        end
        tags_for_others = others and tags_for_others .. tag or tags_for_others
        tags_for_own = own and tags_for_own .. tag or tags_for_own
    end
end

-- Whether somebody found by name instead of in a queue fits, and with how many shared tags.
local function fits_all(me, other, in_front)
    local shared = shared_tags(counting_with(me, other), other)
    local place = { id = other.id, ticket = other }
    return tabs_fit(me, other, shared) and look(me, place, 0, in_front) and shared
end

-- The few of one's own network who stand in the front.
local function find_in_own_front(me)
    local all, best, most = get('p' .. me.narrow) or '', {}, -1
    for at = 1, #all, 17 do
        local other = waiting(sub(all, at, at + 16))
        local shared = other and fits_all(me, other, true)
        if shared and shared > most then
            best, most = {}, shared
        end
        if shared and shared == most then
            best[#best + 1] = { since = struct.unpack('>I8', other.stamp), ticket = other }
        end
    end
    return #best > 0 and draw(best).ticket or nil
end

-- Somebody of other networks' crowds, from any of them on.
local function find_in_crowds(me)
    local from = ''
    for _ = 1, 8 do
        from = from .. char(math.random(0, 255))
    end
    local from, seen, left = '\4' .. from, {}, CROWDS
    local function try(narrow)
        seen[narrow] = true
        if narrow ~= me.narrow then
            left = left - 1
            return walk(me, '\4' .. narrow, tags_for_others)
        end
    end
    for narrow in pairs(fresh_crowds) do
        local found = left > 0 and try(narrow)
        if found then
            return found
        end
    end
    for _, to in ipairs({ '(\5', '[' .. from }) do
        while left > 0 do
            local range = call('ZRANGE', LINES, '[' .. from, to, 'BYLEX', 'LIMIT', 0, 1)
            if #range == 0 then
                break
            end
            local narrow = sub(range[1], 2, 9)
            local found = not seen[narrow] and try(narrow)
            if found then
                return found
            end
            from = '\4' .. narrow .. '\4'
        end
        from = '\4'
    end
end

-- Somebody whom this very search moved from the front to a crowd.
local function find_just_crowded(me)
    for _, other in ipairs(just_crowded) do
        if fits_all(me, other, false) then
            return other
        end
    end
end

-- The best partner: in the front, then among one's own people; and for somebody who waits for long, in
-- the crowds of others. Answers where the next look goes on as well.
local function find_other(me)
    resume = nil
    if waiters == 0 then
        return
    end
    me_spent, patient = spent(me), now - me.since >= tag_patience
    barred_seen, barred, just_crowded = 0, nil, {}
    count_tags(me)
    -- Whoever is of my network may share what does not count for others.
    local in_front = me.narrow and tags_for_own or tags_for_others
    local found
    if me_spent then
        -- Most of the front is out of reach: one's own people come first.
        found = find_in_own_front(me)
    else
        found = walk(me, '', in_front, me.behind)
    end
    if not found and me.narrow then
        found = walk(me, '\4' .. me.narrow, tags_for_own)
    end
    if not found and me_spent then
        found = walk(me, '', in_front, me.behind)
    end
    if not found and patient then
        found = find_in_crowds(me) or find_just_crowded(me)
    end
    return found
end

-- The tab of the same browser that fits best: the last resort. All tags count between the two.
local function find_other_tab(me)
    local all, best, most = get(me.session), {}, -1
    local at, looked = 1, 0
    while all and at <= #all and looked < SKIPS do
        at = at + byte(all, at) + 18
        looked = looked + 1
        local tab = waiting(sub(all, at - 17, at - 1))
        if tab and not over(tab.id) then
            local shared = shared_tags(me.tags, tab)
            if shared >= most and tabs_fit(me, tab, shared) then
                if shared > most then
                    best, most = {}, shared
                end
                best[#best + 1] = { since = struct.unpack('>I8', tab.stamp), ticket = tab }
            end
        end
    end
    return #best > 0 and draw(best).ticket or nil
end

-- Which of my tags count between me and this one, as bits in their order.
local function counting_bits(me, other)
    local counting = me.session == other.session and me.tags or counting_with(me, other)
    local bits, bit = 0, 1
    for at = 1, #me.tags, 8 do
        local tag = sub(me.tags, at, at + 7)
        for of = 1, #counting, 8 do
            if sub(counting, of, of + 7) == tag then
                bits = bits + bit
            end
        end
        bit = bit * 2
    end
    return bits
end
