-- Stores values for whoever still holds the lease on them. It does not where the entry was deleted, replaced or leased to another since.
--
-- KEYS: entries. ARGV for each key: the token, how long Redis keeps the record (milliseconds), the record. Replies 1 or 0 for each.
local replies = {}
for i, key in ipairs(KEYS) do
  if redis.pcall('GETRANGE', key, 8, 15) == ARGV[3 * i - 2] then
    redis.call('SET', key, ARGV[3 * i], 'PX', ARGV[3 * i - 1])
    replies[i] = 1
  else
    replies[i] = 0
  end
end
return replies
