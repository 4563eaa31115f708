-- Removes a key if it may still go: it may have been used, or made anew, since it was looked at.
--
-- KEYS: the key. ARGV: 'idle' and for how many milliseconds it has to be unused; 'trusted idle' the same, where the server may have been a
-- replica; or 'age' and before when the entry of the cache has to be made (milliseconds since the epoch). Replies 1 where it was removed,
-- -1 where the server may have taken over from another, -2 where it notes no use of keys now.
local by, bound = ARGV[1], tonumber(ARGV[2])
if by == 'age' then
  local head = redis.pcall('GETRANGE', KEYS[1], 0, 67)
  -- Of another data type by now; whatever else it is, is told.
  if type(head) == 'table' then return string.find(head.err, 'WRONGTYPE', 1, true) and 0 or head end
  if #head < 68 or string.sub(head, 1, 3) ~= 'RC\1' then return 0 end
  local born = struct.unpack('<d', head, 25)
  -- A lease on what is being made for the first time has no birth.
  if born <= 0 or born >= bound then return 0 end
else
  -- An object that other keys have too, as each number up to 9999 may be, has an idle time that says nothing of this key.
  if redis.call('OBJECT', 'REFCOUNT', KEYS[1]) ~= 1 then return 0 end
  local idle = redis.call('OBJECT', 'IDLETIME', KEYS[1])
  if not idle or idle * 1000 < bound then return 0 end
  -- Here and not before: it may have taken over a moment ago, and reads are not replicated. The second offset is -1 again after repl-backlog-ttl
  -- without replicas; the first stays.
  if by == 'idle' then
    local replication = redis.call('INFO', 'replication')
    local is_alone = string.find(replication, 'second_repl_offset:-1', 1, true)
      and string.find(replication, '\nmaster_repl_offset:0\r', 1, true)
    if not is_alone then return -1 end
  end
  -- Of a key that was written a moment ago, while there is a fork, the idle time is that from before.
  local persistence = redis.call('INFO', 'persistence')
  for _, fork in ipairs({ 'rdb_bgsave', 'aof_rewrite', 'module_fork' }) do
    if string.find(persistence, fork .. '_in_progress:1', 1, true) then return -2 end
  end
end
return redis.call('UNLINK', KEYS[1])
