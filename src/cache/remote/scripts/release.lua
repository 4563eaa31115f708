-- Gives leases back without a value, so that who waits need not wait until they are over.
--
-- KEYS: entries. ARGV for each key: the token. Replies 1 for each lease that was held, 0 for others.
local replies = {}
for i, key in ipairs(KEYS) do
  if redis.pcall('GETRANGE', key, 8, 15) == ARGV[i] then
    if redis.call('GETRANGE', key, 3, 3) == '\0' then
      redis.call('DEL', key)
    else
      redis.call('SETRANGE', key, 8, string.rep('\0', 16))
    end
    replies[i] = 1
  else
    replies[i] = 0
  end
end
return replies
