-- Writes a value anew if it is still the one that was read. Its time to live stays.
-- KEYS[1] the key; ARGV[1] how the value began, ARGV[2] its length, ARGV[3] what stands for it from now on
if redis.call('TYPE', KEYS[1]).ok ~= 'string' then return 0 end
if redis.call('STRLEN', KEYS[1]) ~= tonumber(ARGV[2]) then return 0 end
if redis.call('GETRANGE', KEYS[1], 0, #ARGV[1] - 1) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[3], 'KEEPTTL')
return 1
