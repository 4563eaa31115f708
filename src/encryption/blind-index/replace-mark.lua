-- Replaces the mark of a record if it is still the one that was read.
-- KEYS[1] the record; ARGV[1] field of the mark; ARGV[2] the mark that it had, '' for none; ARGV[3] the new one; ARGV[4] the property; ARGV[5] its
-- value, encrypted
local mark = redis.call('HGET', KEYS[1], ARGV[1])
if ARGV[2] == '' then
  -- Nothing else tells apart what was saved by those who know no index.
  if mark or redis.call('HGET', KEYS[1], ARGV[4]) ~= ARGV[5] then return 0 end
elseif mark ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
