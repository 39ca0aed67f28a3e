-- How often networks meet (`budget.rs`): what they have spent, and who pays.

-- Asks when the budgets under these names are full again, and that of a pair.
local function read_budgets(names, pair)
    local asked = {}
    for i = 1, 3 do
        if full_at[names[i]] == nil and names[i] ~= NOWHERE then
            asked[#asked + 1] = names[i]
        end
    end
    if pair and full_at[pair] == nil then
        asked[#asked + 1] = pair
    end
    if #asked > 0 then
        local scores = call('ZMSCORE', SPENT, unpack(asked))
        for i = 1, #asked do
            local full = scores[i] and tonumber(scores[i]) or 0
            -- Nothing owes more: that was written before the clock was set back.
            full_at[asked[i]] = full <= now + MOST_OWED and full or 0
        end
    end
end

-- How long one pairing takes to come back, at each length of prefix.
local function refill(level)
    return math.floor(REFILLED / (per_minute * 4 ^ (level - 1)))
end

-- The same for a pair.
local function pair_refill()
    return math.floor(REFILLED / math.max(1, math.floor(per_minute / PAIR_SHARE)))
end

-- The name of two different networks, the same in either order; nothing when one is not known.
local function pair_of(t, other)
    local a, b = t.narrow, other and other.narrow
    if not a or not b or a == b then
        return
    end
    local a1, a2 = struct.unpack('>I4I4', a)
    local b1, b2 = struct.unpack('>I4I4', b)
    if a1 < b1 or (a1 == b1 and a2 < b2) then
        return a .. b
    end
    return b .. a
end

-- When a budget will be full again after one more pairing, which takes so long to come back.
local function after_one_more(name, takes)
    return math.max(full_at[name], now) + takes
end

-- The networks of a ticket that do not hold the other (none: no other ticket), by their level.
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

-- How the networks of a ticket that do not hold the other stand before one more pairing, the worst of
-- them: 0, one is left; 1, none, and only with patient people it may owe one; 2, it owes as much as it may.
local function standing(t, other)
    if per_minute == 0 or not t.narrow or (other and other.narrow == t.narrow) then
        return 0
    end
    read_budgets(networks(t), pair_of(t, other))
    local worst = 0
    for level, network in pairs(apart(t, other)) do
        local full = after_one_more(network, refill(level))
        if full > now + MOST_OWED then
            worst = 2
        elseif full > now + REFILLED then
            worst = math.max(worst, 1)
        end
    end
    return worst
end

-- Whether a network of a ticket has no pairing left with one that it does not hold.
local function spent(t, other)
    return standing(t, other) > 0
end

-- Whether half of what the narrowest network of a ticket had is gone.
local function half_gone(t)
    if per_minute == 0 or not t.narrow then
        return false
    end
    read_budgets(networks(t))
    return full_at[t.narrow] >= now + REFILLED / 2
end

-- Whether the networks of two have met as often as a pair does.
local function met_often(t, other)
    local pair = per_minute > 0 and pair_of(t, other)
    if not pair then
        return false
    end
    read_budgets(networks(t), pair)
    return after_one_more(pair, pair_refill()) > now + REFILLED
end

-- Each network of a ticket that does not hold the other pays, if it can; or is given back what it paid.
local function pay(t, other, back)
    if per_minute == 0 or not t.narrow or other.narrow == t.narrow then
        return
    end
    read_budgets(networks(t))
    for level, network in pairs(apart(t, other)) do
        local full = after_one_more(network, back and -refill(level) or refill(level))
        if full <= now + MOST_OWED then
            full_at[network], paid[network] = full, full
        end
    end
end

-- The same for the pair of two networks.
local function pay_as_pair(t, other, back)
    local pair = per_minute > 0 and pair_of(t, other)
    if pair then
        read_budgets(networks(t), pair)
        local full = after_one_more(pair, back and -pair_refill() or pair_refill())
        if full <= now + MOST_OWED then
            full_at[pair], paid[pair] = full, full
        end
    end
end

-- After how long a ticket counts as patient: with tags it is closed to most for as long before that.
local function patient_after(t)
    return t.tags == '' and tag_patience or 2 * tag_patience
end
