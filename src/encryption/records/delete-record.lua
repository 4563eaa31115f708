-- Removes a record, and tells where in the indexes it was.
-- KEYS[1] the record; ARGV the fields of its marks
local before = {}
for i = 1, #ARGV do before[i] = redis.call('HGET', KEYS[1], ARGV[i]) end
-- A record without an index has no marks, and is a record.
if redis.call('DEL', KEYS[1]) == 0 then return false end
return before
