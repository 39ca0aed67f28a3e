-- Whether two may meet, and who of those in a line is chosen.

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
-- are held, then those. A mark that is not there is 0, which no ticket holds.
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

-- Whether two have a language in common, one of them named none, or both may meet anyone by now.
local function understand(a, b)
    return a.languages == 0 or b.languages == 0 or (a.phase >= 1 and b.phase >= 1) or
        bit.band(a.languages, b.languages) > 0
end

-- Whether the rules that no queue stands for let two meet.
local function fits(me, other)
    if not understand(me, other) then
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

-- How many of these tags the other ticket has.
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

-- Once many were met that I know to be barred: the tickets of all of them.
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

-- Whether budgets keep me apart from a ticket that stands in the front, or in a crowd; and how many looks
-- that costs.
local function kept_apart(me, other, in_front)
    local theirs = standing(other, me)
    if theirs > 0 then
        if in_front then
            move(other, true)
            stand(other)
            moves = moves + 1
            just_crowded[#just_crowded + 1] = other
            return true, 0
        elseif theirs == 2 then
            -- All of this crowd are of the same networks.
            return true, SKIPS
        elseif not patient then
            return true, 1
        end
    end
    local mine = me_spent and standing(me, other) or 0
    local they_are_patient = now - struct.unpack('>I8', other.stamp) >= patient_after(other)
    local affordable = mine == 0 or (mine == 1 and they_are_patient)
    local too_often = not (patient and they_are_patient) and met_often(me, other)
    return not affordable or too_often, 1
end

-- A few of a network who have waited longer than this ticket, the oldest first: those in the front, and of
-- each of these classes the first of the crowd.
local function elders_of(narrow, classes, than)
    local all, than_since, than_serial = {}, struct.unpack('>I8I8', than.stamp)
    local function add(t)
        local since, serial = struct.unpack('>I8I8', t.stamp)
        if since < than_since or (since == than_since and serial < than_serial) then
            all[#all + 1] = { since = since, serial = serial, ticket = t }
        end
    end
    local front = get('p' .. narrow) or ''
    for at = 1, #front, PLACE do
        local t = waiting(sub(front, at, at + 16))
        if t then
            add(t)
        end
    end
    for _, class in ipairs(classes) do
        local heads = {}
        heads_of('\4' .. narrow .. '\0', { class, stored = 1 }, heads)
        for _, head in ipairs(heads) do
            local t = head.place.ticket or waiting(head.place.id)
            if t then
                add(t)
            end
        end
    end
    table.sort(all, function(a, b)
        return a.since < b.since or (a.since == b.since and a.serial < b.serial)
    end)
    return all
end

local EVERY_CLASS = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 }

-- How many topics two share: they always count.
local function shared_topics(t, other)
    local topics = ''
    for at = 1, #t.tags, 8 do
        topics = byte(t.tags, at) < 128 and topics .. sub(t.tags, at, at + 7) or topics
    end
    return shared_tags(topics, other)
end

-- With half of its budget gone, what a network has left goes to those of its people who have waited
-- longest: whether one of mine has waited longer than I, and could meet this one.
local function an_elder_fits(me, other)
    if not my_half_gone or other.narrow == me.narrow then
        return false
    end
    my_elders = my_elders or elders_of(me.narrow, EVERY_CLASS, me)
    for _, elder in ipairs(my_elders) do
        local t = elder.ticket
        if t.session ~= me.session and t.session ~= other.session and not over(t.id) and
            tabs_fit(t, other, shared_topics(t, other)) then
            return true
        end
    end
    return false
end

-- Looks at one place: who stands there, if they fit; and else how many looks that costs. Who can never
-- fit, or is not met again in this place, costs none.
local function look(me, place, size, in_front)
    local id = place.id
    if barred and barred[id] then
        return nil, 0
    end
    local other = place.ticket or waiting(id)
    if not other then
        lines[place.member] = false
        moves = moves + 1
        return nil, 0
    elseif over(id) then
        remove(other)
        moves = moves + 1
        return nil, 0
    elseif other.session == me.session or (in_front and other.crowded) then
        return nil, 0
    end
    if holds(me, me.blocked_at, me.phase >= 2 and me.recent_at or me.body_at, other.session) then
        note_barred(me)
        return nil, 0
    end
    local apart_now, costs = kept_apart(me, other, in_front)
    if apart_now then
        return nil, costs
    end
    if me.free and shared_tags(counting_with(me, other), other) < size then
        return nil, 0
    end
    local repeats = me.phase >= 2 and other.phase >= 2
    if holds(other, other.blocked_at, repeats and other.recent_at or other.body_at, me.session) or
        (me.phase >= 2 and other.phase < 2 and holds(me, me.recent_at, me.body_at, other.session)) or
        holds_mark(me, other) or holds_mark(other, me) or not understand(me, other) or
        an_elder_fits(me, other) then
        return nil, 1
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
    while looked < SKIPS and (moves < MOVES or not last) do
        last = fill(window, heads, last, in_front)
        if #window == 0 then
            return
        end
        while #window > 0 do
            local other, costs = look(me, draw(window), size, in_front)
            if other then
                return other
            end
            looked = looked + costs
            if costs == SKIPS then
                return
            end
        end
    end
    if not in_front then
        left_a_crowd = left_a_crowd or moves >= MOVES
    elseif not resume then
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
