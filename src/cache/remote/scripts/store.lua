-- Stores values for whoever still holds the lease on them. It does not where the entry was deleted, replaced or leased to another since.
--
-- KEYS: entries. ARGV for each key: the token, how long Redis keeps the record (milliseconds), the record. Replies 1 or 0 for each.
local call, pcall = redis.call, redis.pcall
local replies = {}
for i = 1, #KEYS do
  local key, last = KEYS[i], 3 * i
  if pcall('GETRANGE', key, 8, 15) == ARGV[last - 2] then
    call('SET', key, ARGV[last], 'PX', ARGV[last - 1])
    replies[i] = 1
  else
    replies[i] = 0
  end
end
return replies
