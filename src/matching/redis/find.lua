-- Who is the best partner for a ticket that arrives: by the rules and in the order of `rule.rs`.

-- The widest network of a ticket.
local function widest(t)
    for level = 3, 1, -1 do
        if t.narrow and networks(t)[level] ~= NOWHERE then
            return networks(t)[level]
        end
    end
end

-- The tickets that wait with this tag, as far as it matters: adds the other wide networks, and the sessions of
-- my own narrow one. A ticket of no known network stands for itself.
local function add_with_tag(me, tags, networks_seen, sessions_seen)
    local function add(other)
        if other.session == me.session or over(other.id) then
            return
        end
        if me.narrow and other.narrow == me.narrow then
            sessions_seen[other.session] = true
        end
        local wide = widest(other)
        if not wide then
            networks_seen[other.session] = true
        elseif wide ~= widest(me) then
            networks_seen[wide] = true
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
    tags_for_others, tags_for_own, tags_in_front = me.tags, me.tags, me.tags
    for at = 1, #me.tags, 8 do
        me.free = me.free or byte(me.tags, at) >= 128
    end
    if not me.free then
        return
    end
    tags_for_others, tags_for_own, tags_in_front = '', '', ''
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
        tags_in_front = (others or own) and tags_in_front .. tag or tags_in_front
    end
end

-- Whether a ticket found by name instead of in a queue fits, and with how many shared tags.
local function fits_all(me, other, in_front)
    local shared = shared_tags(counting_with(me, other), other)
    local place = { id = other.id, ticket = other }
    return tabs_fit(me, other, shared) and look(me, place, 0, in_front) and shared
end

-- The few of one's own network who stand in the front.
local function find_in_own_front(me)
    local all, best, most = get('p' .. me.narrow) or '', {}, -1
    for at = 1, #all, PLACE do
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

-- A ticket of other networks' crowds, from any of them on.
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

-- A ticket that this very search moved from the front to a crowd.
local function find_just_crowded(me)
    for _, other in ipairs(just_crowded) do
        if fits_all(me, other, false) then
            return other
        end
    end
end

-- The ticket to pair instead of the found one: of the same network, waiting longer and sharing as much,
-- when half of what that network has is gone.
local function elder_instead(me, found)
    if not found.narrow or found.narrow == me.narrow or not half_gone(found) then
        return found
    end
    local shared = shared_tags(counting_with(me, found), found)
    for _, elder in ipairs(elders_of(found.narrow, classes_for(me), found)) do
        local as_much = elder.ticket ~= found and fits_all(me, elder.ticket, false)
        if as_much and as_much >= shared then
            return elder.ticket
        end
    end
    return found
end

-- The best partner: in the front, then in the own network; and for a ticket that waits for long, in
-- the crowds of others. Answers where the next look goes on as well.
local function find_other(me)
    resume, left_a_crowd = nil, false
    if waiting_count == 0 then
        return
    end
    me_spent, patient = spent(me), now - me.since >= patient_after(me)
    my_half_gone, my_elders = half_gone(me), nil
    barred_seen, barred, just_crowded = 0, nil, {}
    count_tags(me)
    local found
    if me_spent then
        -- Most of the front is out of reach: one's own people come first.
        found = find_in_own_front(me)
    else
        found = walk(me, '', tags_in_front, me.behind)
    end
    if not found and me.narrow then
        found = walk(me, '\4' .. me.narrow, tags_for_own)
    end
    if not found and me_spent then
        found = walk(me, '', tags_in_front, me.behind)
    end
    if not found and patient then
        found = find_in_crowds(me) or find_just_crowded(me)
    end
    if left_a_crowd and not resume then
        -- What was not looked at stands in no one line: the next look begins anew.
        resume = struct.pack('>BI8I8', 3, 0, 0)
    end
    return found and elder_instead(me, found)
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
