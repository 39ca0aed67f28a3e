-- Looks for a partner; queues the ticket when there is none. Asked again it answers the same.

local waited, room = tonumber(ARGV[3]), ARGV[4]
local me = {
    [ID] = ARGV[5],
    [SESSION] = ARGV[6],
    [USER] = ARGV[7],
    [CLASS] = tonumber(ARGV[8]),
    [PHASE] = tonumber(ARGV[9]),
    [TAGS] = ARGV[10],
    [SINCE] = math.max(0, now - waited),
    [SERIAL] = 0,
    [ADDRESS] = ARGV[11],
    [BLOCKED] = ARGV[12],
    [RECENT] = ARGV[13],
    [BODY] = ARGV[14],
    [ATTEMPT] = ARGV[15],
    [REPLACED] = '',
    [TOLD_AT] = '',
}
local same_session = ARGV[16] == '1'
local per_session, most = tonumber(ARGV[17]), tonumber(ARGV[18])

-- How many tickets that do not fit are looked at for each number of shared tags. Each number has
-- its own allowance, so that a crowd of blocked people with one's own tags hides nobody else.
local SKIPS = 64
-- How many more of one queue are fetched at once when its head does not fit.
local AHEAD = 16

-- Whether a list of ids put end to end holds this one.
local function holds(list, id)
    local at = string.find(list, id, 1, true)
    while at do
        if at % ID_BYTES == 1 then
            return true
        end
        at = string.find(list, id, at + 1, true)
    end
    return false
end

local function met_before(a, b)
    return holds(a[RECENT], b[SESSION]) or holds(b[RECENT], a[SESSION])
end

local function blocked(a, b)
    return holds(a[BLOCKED], b[SESSION]) or holds(b[BLOCKED], a[SESSION])
end

local function shared_tags(a, b)
    local count = 0
    for at = 1, #a[TAGS], TAG_BYTES do
        local tag = string.sub(a[TAGS], at, at + TAG_BYTES - 1)
        for other = 1, #b[TAGS], TAG_BYTES do
            if string.sub(b[TAGS], other, other + TAG_BYTES - 1) == tag then
                count = count + 1
            end
        end
    end
    return count
end

-- A class is a gender (male, female, other) and a wish (all, male, female, other).
local function accepts(wish, gender)
    return wish == 0 or wish == gender + 1
end

local function wishes_fit(a, b)
    local a_gender, a_wish = math.floor(a / 4), a % 4
    local b_gender, b_wish = math.floor(b / 4), b % 4
    return accepts(a_wish, b_gender) and accepts(b_wish, a_gender)
end

-- Whether the rest of the rules lets two meet, and by how many tags.
local function fits(other)
    if me[USER] == other[USER] or not wishes_fit(me[CLASS], other[CLASS]) then
        return false
    end
    local shared = shared_tags(me, other)
    if shared == 0 and not (open_to_anyone(me) and open_to_anyone(other)) then
        return false
    end
    if me[SESSION] ~= other[SESSION] then
        local repeats = me[PHASE] >= 2 and other[PHASE] >= 2
        if blocked(me, other) or (not repeats and met_before(me, other)) then
            return false
        end
    end
    return true, shared
end

-- The next of one queue; false at its end.
local function advance(line)
    line.at = line.at + 1
    if line.at > #line.batch then
        if line.ended then
            return false
        end
        local limit = line.size
        line.batch = redis.call(
            'ZRANGE', LINES, line.from, line.to, 'BYLEX', 'LIMIT', 0, limit
        )
        line.at, line.size, line.ended = 1, AHEAD, #line.batch < limit
        if #line.batch == 0 then
            return false
        end
        line.from = '(' .. line.batch[#line.batch]
    end
    line.place = line.batch[line.at]
    line.since, line.serial = struct.unpack('>I8I8', line.place, line.key_bytes + 1)
    line.id = string.sub(line.place, -ID_BYTES)
    return true
end

-- The queue of a class under a set of tags; nothing when nobody stands in it.
local function line(tags, class)
    local key = tags .. string.char(class)
    local whole = {
        key_bytes = #key,
        from = '[' .. key,
        to = '(' .. tags .. string.char(class + 1),
        batch = {},
        at = 0,
        size = 1,
        ended = false,
    }
    return advance(whole) and whole
end

-- Which of these queues goes on with the one who waits longest; at most 18 are compared.
local function oldest(heads)
    local best = 1
    for i = 2, #heads do
        local a, b = heads[i], heads[best]
        if a.since < b.since or (a.since == b.since and a.serial < b.serial) then
            best = i
        end
    end
    return best
end

-- Walks through these queues as one, by age, until somebody fits. Who stands in two of them comes
-- up twice in a row, because the age is the same in both.
local function first(heads)
    local last
    local looked = 0
    while #heads > 0 and looked < SKIPS do
        local best = oldest(heads)
        local head = heads[best]
        if head.id ~= last and lines[head.place] ~= false then
            last = head.id
            looked = looked + 1
            local other = waiting(head.id)
            if not other then
                lines[head.place] = false
            elseif over('t' .. head.id) then
                remove(other)
            elseif other[SESSION] ~= me[SESSION] and fits(other) then
                return other
            end
        end
        if not advance(head) then
            table.remove(heads, best)
        end
    end
end

-- The classes with people whom this one could meet: at most six.
local function classes()
    local all = {}
    for class = 0, CLASSES - 1 do
        if counters[class + 1] > 0 and wishes_fit(me[CLASS], class) then
            table.insert(all, class)
        end
    end
    return all
end

-- Somebody stands under this set of tags.
local function inhabited(tags)
    local range = redis.call(
        'ZRANGE', LINES, '[' .. tags, '(' .. tags .. string.char(CLASSES), 'BYLEX', 'LIMIT', 0, 1
    )
    return #range > 0
end

local function heads_of(tag_set, wanted, heads)
    if #wanted > 2 and tag_set ~= '\0' and not inhabited(tag_set) then
        return
    end
    for _, class in ipairs(wanted) do
        table.insert(heads, line(tag_set, class) or nil)
    end
end

local function find_other()
    local wanted = classes()
    if #wanted == 0 then
        return
    end
    local sets = tag_sets(me[TAGS])
    for size = #sets, 1, -1 do
        local heads = {}
        for _, tags in ipairs(sets[size]) do
            heads_of(tags, wanted, heads)
        end
        local found = first(heads)
        if found then
            return found
        end
    end
    if open_to_anyone(me) then
        local heads = {}
        heads_of('\0', wanted, heads)
        return first(heads)
    end
end

-- The last resort.
local function find_other_tab()
    local best, best_shared
    local all = names(me[SESSION])
    for i = 2, math.min(#all, 2 * SKIPS), 2 do
        local tab = waiting(all[i])
        if tab and not over('t' .. tab[ID]) then
            local fit, shared = fits(tab)
            if fit and (not best or shared > best_shared or (shared == best_shared and
                (tab[SINCE] < best[SINCE] or
                (tab[SINCE] == best[SINCE] and tab[SERIAL] < best[SERIAL])))) then
                best, best_shared = tab, shared
            end
        end
    end
    return best
end

local function find()
    -- A room that is spoken for cannot be given to two more people.
    if outcome(room) then
        return
    end
    return find_other() or (same_session and find_other_tab()) or nil
end

-- Why there is no place for this ticket. Whoever takes a place over needs no new one.
local function refusal()
    if waiting(me[ID]) or namesake(me[SESSION], me[USER]) then
        return
    end
    if per_session > 0 and #names(me[SESSION]) / 2 >= per_session then
        local all = names(me[SESSION])
        for i = 2, #all, 2 do
            local t = waiting(all[i])
            if t and over('t' .. t[ID]) then
                remove(t)
            end
        end
        if #names(me[SESSION]) / 2 >= per_session then
            return 'T'
        end
    end
    if total() >= most then
        return 'F'
    end
end

-- Takes the ticket's former self and its namesake out. The former self leaves it its place, the
-- namesake its address to be told.
local function take_over()
    local former = waiting(me[ID])
    if former then
        remove(former)
        me[SINCE] = math.min(me[SINCE], former[SINCE])
        me[SERIAL] = former[SERIAL]
        -- The answer to this very call got lost: it is given again.
        if former[ATTEMPT] == me[ATTEMPT] then
            me[REPLACED], me[TOLD_AT] = former[REPLACED], former[TOLD_AT]
        end
    else
        counters[LAST_SERIAL] = counters[LAST_SERIAL] + 1
        me[SERIAL] = counters[LAST_SERIAL]
    end
    local other = namesake(me[SESSION], me[USER])
    other = other and waiting(other)
    if other then
        local told = not over('t' .. other[ID])
        remove(other)
        if told then
            me[REPLACED], me[TOLD_AT] = other[ID], other[ADDRESS]
        end
    end
end

local function enter()
    local _, made, o = renew(me[ID])
    if o then
        local mine = o[ARRIVED][ID] == me[ID] and o[ARRIVED] or o[WAITED]
        local again = mine[ATTEMPT] == me[ATTEMPT]
        return paired(made, o, again and mine[REPLACED] or '', again and mine[TOLD_AT] or '')
    end
    local refused = refusal()
    if refused then
        return { refused }
    end
    take_over()
    local other = find()
    if not other then
        queue(me)
        return { 'W', me[REPLACED], me[TOLD_AT] }
    end
    remove(other)
    o = { me, other, met_before(me, other) and '1' or '0' }
    keep(room, o)
    return paired(room, o, me[REPLACED], me[TOLD_AT])
end

open('t' .. me[ID], 's' .. me[SESSION], 'o' .. room)
sweep(UPKEEP)
local answer = enter()
write()
return answer
