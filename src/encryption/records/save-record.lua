-- Writes a record in place of the one that is there.
-- KEYS[1] the record; ARGV[1] its time to live in milliseconds, '' for the one that there is; ARGV[2] for how long its index entries are there,
-- '' for ever; ARGV[3] how many marks it may have, then their fields; then fields and values
local ttl, lifetime, marks = ARGV[1], ARGV[2], tonumber(ARGV[3])
-- What is there and is no hash is somebody else's: this fails then.
redis.call('HLEN', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
-- It must not be there for longer than it can be found: they are made to last first.
if ttl == '' and lifetime ~= '' and (left < 0 or left > tonumber(lifetime)) then return { 0, left } end
local before = {}
for i = 1, marks do before[i] = redis.call('HGET', KEYS[1], ARGV[3 + i]) end
redis.call('DEL', KEYS[1])
for i = 4 + marks, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
if ttl ~= '' then
  redis.call('PEXPIRE', KEYS[1], ttl)
elseif left >= 0 then
  redis.call('PEXPIRE', KEYS[1], math.max(left, 1))
end
return { 1, before }
