-- KEYS: state, queue, waiters. ARGV: how those who hold it, or wait, are reached.
-- Takes the resource from all holders, tells them, and hands it on. Replies with the tokens and fences of those who held it.
local wakes = wakes_of(ARGV[1])
local now = microseconds()
local fields = redis.call('HGETALL', KEYS[1])
local revoked = {}
for index = 1, #fields, 2 do
  local ends, fence = parse(fields[index + 1])
  if ends and ends > now then
    redis.call('HDEL', KEYS[1], fields[index])
    -- No fence is 0: it says that the token has lost the resource.
    wake(wakes, KEYS[1], fields[index], 0)
    revoked[#revoked + 1] = { fields[index], fence }
  end
end
local resource = read(KEYS, redis.call('HGETALL', KEYS[1]), now)
if #revoked > 0 then
  -- Takes a fence for itself: no renewal that is under way brings back what was lost here (see renew.lua).
  retain(KEYS[1], resource.last, now, 0)
  resource.last = math.max(resource.last + 1, now)
  redis.call('HSET', KEYS[1], 'fence', whole(resource.last))
end
advance(resource, now, wakes)
return revoked
