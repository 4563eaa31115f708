-- Writes a field of a hash anew if it is still the one that was read. Its time to live, where fields have one, and that of the hash stay.
-- KEYS[1] the hash; ARGV[1] how the value began, ARGV[2] its length, ARGV[3] what stands for it from now on, ARGV[4] the field
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 0 end
local value = redis.call('HGET', KEYS[1], ARGV[4])
if not value or #value ~= tonumber(ARGV[2]) or string.sub(value, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
-- HSET takes a field's time to live away. Redis before 7.4 and Valkey before 9 know no such time, and refuse the command.
local expiry = redis.pcall('HPEXPIRETIME', KEYS[1], 'FIELDS', 1, ARGV[4])
local is_known = not expiry.err
if not is_known and not string.find(string.lower(expiry.err), 'unknown') then return expiry end
redis.call('HSET', KEYS[1], ARGV[4], ARGV[3])
if is_known and expiry[1] > 0 then redis.call('HPEXPIREAT', KEYS[1], expiry[1], 'FIELDS', 1, ARGV[4]) end
return 1
