-- A consumer says that it lives, gives back partitions, renews those it has and takes free ones, up to its share.
-- KEYS: owners, members, groups, partitions. ARGV: consumer, lease in ms, partitions it knows of, group, 1 where it is about to leave and
-- takes no more, how many partitions it gives back, those, and those that it is certain to own…
-- Reply: how many partitions there are, its share, and those it owns now.
local consumer, lease, group, is_leaving = ARGV[1], tonumber(ARGV[2]), ARGV[4], ARGV[5] == '1'
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- First of what is written: where memory is full, a script may go on once it has begun, and events are handled all the same.
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)

-- Replicas of another release may know of fewer, or more.
local partitions = tonumber(redis.call('GET', KEYS[4]) or 0)
if partitions < tonumber(ARGV[3]) then
  partitions = tonumber(ARGV[3])
  redis.call('SET', KEYS[4], partitions)
end

redis.call('HSET', KEYS[3], group, now)
-- Others take what it gives back while it waits for its last handlers.
if is_leaving then redis.call('ZREM', KEYS[2], consumer) else redis.call('ZADD', KEYS[2], now + lease, consumer) end

-- By name, not by age: shares must not move from one to the other at each call.
local members = redis.call('ZRANGE', KEYS[2], 0, -1)
table.sort(members)
local share = is_leaving and 0 or math.floor(partitions / #members)
for rank = 1, is_leaving and 0 or partitions % #members do
  if members[rank] == consumer then share = share + 1 end
end

local given, held = {}, {}
for i = 7, #ARGV do
  if i < 7 + ARGV[6] then given[ARGV[i]] = true else held[ARGV[i]] = true end
end

-- What is given back stays noted: where nothing is noted although there are others, Redis has lost it (an eviction, say). Then each tells
-- what it holds, and for the time of a lease nobody takes anything else.
if #members > (is_leaving and 0 or 1) and redis.call('EXISTS', KEYS[1]) == 0 then redis.call('HSET', KEYS[1], 'lost', now) end
local lost = tonumber(redis.call('HGET', KEYS[1], 'lost') or 0)
local may_take = now >= lost + lease
if lost > 0 and may_take then redis.call('HDEL', KEYS[1], 'lost') end

local until_when = string.format('%.0f', now + lease)
local mine, free = {}, {}
for partition = 0, partitions - 1 do
  local field = tostring(partition)
  local owned = redis.call('HGET', KEYS[1], field)
  local expiry, owner
  if owned then expiry, owner = string.match(owned, '^(%d+) (.+)$') end
  if given[field] then
    if owner == consumer then redis.call('HSET', KEYS[1], field, '0 -') end
  elseif owner == consumer or (owner == nil and held[field]) then
    mine[#mine + 1] = field
  elseif may_take and (owner == nil or tonumber(expiry) <= now) then
    free[#free + 1] = field
  end
end
for _, field in ipairs(free) do
  if #mine >= share then break end
  mine[#mine + 1] = field
end
for _, field in ipairs(mine) do redis.call('HSET', KEYS[1], field, until_when .. ' ' .. consumer) end

return { partitions, share, unpack(mine) }
