-- Renews leases whose factories take longer.
--
-- KEYS: entries. ARGV[1]: the lease in milliseconds. Then for each key: the token. Replies 1 for each lease that stands, 0 for others.
local time = redis.call('TIME')
local lease = tonumber(ARGV[1])
local leaseUntil = struct.pack('<d', time[1] * 1000 + math.floor(time[2] / 1000) + lease)
local replies = {}
for i, key in ipairs(KEYS) do
  if redis.pcall('GETRANGE', key, 8, 15) == ARGV[i + 1] then
    redis.call('SETRANGE', key, 16, leaseUntil)
    if redis.call('PTTL', key) < lease then redis.call('PEXPIRE', key, lease) end
    replies[i] = 1
  else
    replies[i] = 0
  end
end
return replies
