-- KEYS: state of each lease. ARGV, of each: token, fence, ttl in milliseconds, 'weight capacity'.
-- Gives each its ttl again. Replies 1 for each that is still held, 0 otherwise.
local now = microseconds()
local replies = {}
for index, state in ipairs(KEYS) do
  local token, text, ttl, share = unpack(ARGV, index * 4 - 3, index * 4)
  local fence = tonumber(text)
  local last = tonumber(redis.call('HGET', state, 'fence') or 0)
  local value = redis.call('HGET', state, token)
  local is_held, before
  if value then
    local ends = tonumber(string.match(value, '^%d+'))
    is_held, before = ends > now, ends - ttl * 1000
  else
    -- It was lost with other data, as in a failover. As long as no later fence was given out, nobody else has had the resource since.
    is_held = last < fence and redis.call('HLEN', state) == (last > 0 and 1 or 0)
    before = 0
  end
  if is_held then
    redis.call('HSET', state, token, whole(now + ttl * 1000) .. ' ' .. text .. ' ' .. share)
    -- Also a fence that is common to several resources.
    if fence > last then redis.call('HSET', state, 'fence', text) end
    retain(state, before, now, tonumber(ttl))
  end
  replies[index] = is_held and 1 or 0
end
return replies
