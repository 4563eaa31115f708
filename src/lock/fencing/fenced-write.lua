-- KEYS: the value, its fence. ARGV: fence, milliseconds to keep the fence or '', value, milliseconds to keep the value or ''.
-- Replies 1 where the value was written, 0 where a larger fence was used before.
local function set(key, value, ttl)
  if ttl == '' then
    redis.call('SET', key, value)
  else
    redis.call('SET', key, value, 'PX', ttl)
  end
end

local last = redis.call('GET', KEYS[2])
if last and tonumber(last) > tonumber(ARGV[1]) then return 0 end
set(KEYS[2], ARGV[1], ARGV[2])
set(KEYS[1], ARGV[3], ARGV[4])
return 1
