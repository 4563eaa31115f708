-- KEYS: dead letters, the messages that were recorded lately. ARGV: digest of the message, for how many milliseconds it is not recorded
-- again, most dead letters, fields and values…
-- Replies 1; 0 where another replica has recorded the message.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
if redis.call('ZADD', KEYS[2], 'NX', now + ARGV[2], ARGV[1]) == 0 then return 0 end
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', unpack(ARGV, 4))
return 1
