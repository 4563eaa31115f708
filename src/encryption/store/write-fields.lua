-- Writes fields of a hash and gives the hash a time to live. One script, since a transaction would give it to what is no hash, too.
-- KEYS[1] the hash; ARGV[1] milliseconds, then each field and its value
for at = 2, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
