-- Puts a member into an entry of a blind index, which stays for as long as the one of its records that stays longest.
-- KEYS[1] the entry; ARGV[1] the member; ARGV[2] for how long it is needed in milliseconds, '' for ever
local left = redis.call('PTTL', KEYS[1])
local time = redis.call('TIME')
redis.call('ZADD', KEYS[1], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[1])
if ARGV[2] == '' then
  if left >= 0 then redis.call('PERSIST', KEYS[1]) end
-- -2 is an entry that there was not, -1 one that stays for ever.
elseif left ~= -1 and left < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
-- One of those that are there, whichever, to be looked after: an entry that stays for ever would keep what belongs to records that are gone.
local place = time[2] % redis.call('ZCARD', KEYS[1])
return redis.call('ZRANGE', KEYS[1], place, place)[1]
