-- Removes what no group needs any more. KEYS: groups, the topic's streams, the members of each group that is named. ARGV: for how long
-- entries stay in any case, and for how long a group that nobody belongs to counts, in ms; how many entries are removed from a stream at
-- most; names of groups.
-- Replies with how many were removed, and 1 where there may be more.
local keep, retention, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local streams = #KEYS - 1 - (#ARGV - 3)

-- First of what is written: where memory is full, a script may go on once it has begun. It is this one that makes room.
redis.call('XTRIM', KEYS[2], 'MINID', '~', '0-0')

local function pairs_of(list)
  local fields = {}
  for index = 1, #list, 2 do fields[list[index]] = list[index + 1] end
  return fields
end

-- The second part of an id may be too large for a number.
local function earlier(one, other)
  local one_ms, one_sequence = string.match(one, '^(%d+)-(%d+)$')
  local other_ms, other_sequence = string.match(other, '^(%d+)-(%d+)$')
  if one_ms ~= other_ms then return tonumber(one_ms) < tonumber(other_ms) and one or other end
  if #one_sequence ~= #other_sequence then return #one_sequence < #other_sequence and one or other end
  return one_sequence < other_sequence and one or other
end

local members_of = {}
for index = 4, #ARGV do members_of[ARGV[index]] = KEYS[1 + streams + index - 3] end

local function live(name)
  return redis.call('ZCOUNT', members_of[name], string.format('(%.0f', now), '+inf')
end

-- By the name of each stream that exists, its groups by their names.
local readers, found = {}, {}
for index = 2, 1 + streams do
  if redis.call('EXISTS', KEYS[index]) == 1 then
    local groups = {}
    for _, info in ipairs(redis.call('XINFO', 'GROUPS', KEYS[index])) do
      local fields = pairs_of(info)
      groups[fields.name] = fields
      found[fields.name] = true
    end
    readers[KEYS[index]] = groups
  end
end

-- A group that no event bus has made has not told that it is there. Its time begins now.
local seen = pairs_of(redis.call('HGETALL', KEYS[1]))
for name in pairs(found) do
  if not seen[name] then
    seen[name] = string.format('%.0f', now)
    redis.call('HSET', KEYS[1], name, seen[name])
  end
end

-- A group that was destroyed is waited for no more, unless it has consumers, who are about to make it again.
for name in pairs(seen) do
  if not found[name] and members_of[name] and live(name) == 0 then
    seen[name] = nil
    redis.call('HDEL', KEYS[1], name)
  end
end

local counted = {}
for name, moment in pairs(seen) do
  if now - tonumber(moment) < retention then counted[#counted + 1] = name end
end

-- Before there is a group, events wait for one.
local age = #counted > 0 and keep or math.max(keep, retention)
local aged = string.format('%.0f', math.max(0, now - age)) .. '-0'

-- What is before it, all groups have acknowledged; nil where nothing can be told. The last entry that was delivered stays too.
local function limit_of(stream, groups)
  local limit = aged
  for _, name in ipairs(counted) do
    local group = groups[name]
    -- It has not come to this stream yet, and will begin with what is there.
    if not group then return nil end
    limit = earlier(limit, group['last-delivered-id'])
    if group.pending > 0 then limit = earlier(limit, redis.call('XPENDING', stream, name)[2]) end
  end
  return limit
end

-- Names of consumers that are gone for as long, and have nothing left; some at a time. Most were removed by whoever took over from them.
local names = 100
local function forget_consumers(stream, group)
  if not members_of[group.name] or group.consumers <= live(group.name) then return end
  for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group.name)) do
    local consumer = pairs_of(info)
    local is_gone = consumer.pending == 0 and consumer.idle > retention
    if names > 0 and is_gone and not redis.call('ZSCORE', members_of[group.name], consumer.name) then
      redis.call('XGROUP', 'DELCONSUMER', stream, group.name, consumer.name)
      names = names - 1
    end
  end
end

local removed, is_more = 0, 0
for stream, groups in pairs(readers) do
  for _, group in pairs(groups) do forget_consumers(stream, group) end
  local limit = limit_of(stream, groups)
  if limit then
    -- Whole nodes only, which costs next to nothing: up to a node more is left.
    local count = redis.call('XTRIM', stream, 'MINID', '~', limit, 'LIMIT', most)
    removed = removed + count
    -- It stops before a node that is too much.
    if count * 2 > most then is_more = 1 end
  end
end
return { removed, is_more }
