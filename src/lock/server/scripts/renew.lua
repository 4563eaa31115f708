-- KEYS: state of each lease. ARGV, of each: token, fence that it was granted with, fence, ttl in milliseconds, 'weight capacity'.
-- Gives each its ttl again. Replies 1 for each that is still held, 0 otherwise.
local now = microseconds()

-- Whether there is room beside those who hold it.
local function has_room(state, share)
  local fields = redis.call('HGETALL', state)
  local used, capacity = string.match(share, '^(%d+) (%d+)$')
  used, capacity = tonumber(used), tonumber(capacity)
  for index = 2, #fields, 2 do
    local ends, weight, most = string.match(fields[index], '^(%d+) %d+ (%d+) (%d+)$')
    if ends and tonumber(ends) > now then
      used, capacity = used + weight, math.min(capacity, most)
    end
  end
  return used <= capacity
end

local replies = {}
for index, state in ipairs(KEYS) do
  local token, granted, text, ttl, share = unpack(ARGV, index * 5 - 4, index * 5)
  local fence = tonumber(text)
  local last = tonumber(redis.call('HGET', state, 'fence') or 0)
  local value = redis.call('HGET', state, token)
  local is_held, before
  if value then
    local ends = tonumber(string.match(value, '^%d+'))
    is_held, before = ends > now, ends - ttl * 1000
  else
    -- It was lost with other data, as in a failover. As long as no later fence was given out, nobody else has had the resource since.
    is_held, before = last < tonumber(granted) and has_room(state, share), 0
  end
  if is_held then
    redis.call('HSET', state, token, whole(now + ttl * 1000) .. ' ' .. text .. ' ' .. share)
    -- Also a fence that is common to several resources. Not of those who share one: others who were lost with it would not come back.
    if fence > last and string.match(share, '^(%d+) %1$') then redis.call('HSET', state, 'fence', text) end
    retain(state, before, now, tonumber(ttl))
  end
  replies[index] = is_held and 1 or 0
end
return replies
