-- Invalidates what depends on stamps, by making them others: later ones, also when the server's clock was set back.
--
-- KEYS: stamps. ARGV[1]: for how many milliseconds they are kept at least. Then for each key: a number that it has to be higher than.
-- Replies the new stamps.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local replies = {}
for i, key in ipairs(KEYS) do
  -- What is no stamp, or of another data type, gives way to one.
  local stamp = redis.pcall('GET', key)
  local old = type(stamp) == 'string' and tonumber(stamp) or 0
  local kept = math.max(tonumber(ARGV[1]), redis.call('PTTL', key))
  replies[i] = string.format('%.0f', math.max(old + 1, now, tonumber(ARGV[i + 1]) + 1))
  -- A full server lets a script write that has begun with what takes no memory.
  redis.call('DEL', key)
  redis.call('SET', key, replies[i], 'PX', kept)
end
return replies
