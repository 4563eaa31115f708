-- Takes a member out of an entry of a blind index. Replies whether it is not there any more.
-- KEYS[1] the entry; ARGV[1] the member; ARGV[2] how many milliseconds it must have been there
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not score then return 1 end
local time = redis.call('TIME')
-- A save puts the member there first, and writes the record then.
if tonumber(ARGV[2]) > 0 and time[1] * 1000 + time[2] / 1000 - tonumber(score) < tonumber(ARGV[2]) then return 0 end
return redis.call('ZREM', KEYS[1], ARGV[1])
