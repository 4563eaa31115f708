-- Does what a handler wants done, marks the event as handled and acknowledges it, unless it was handled already.
-- KEYS: stream, retries, done. ARGV: group, entry, event, for how long its id is kept in ms (0: not), commands: each as the number of its
-- parts, and the parts.
-- Reply: the replies of the commands, or nil where nothing was done; an error where the first command fails, and then nothing was done, either.
local stream, group, id, event, keep = KEYS[1], ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
if #redis.call('XPENDING', stream, group, id, id, 1) == 0 then return false end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local handled_before = keep > 0 and redis.call('ZSCORE', KEYS[3], event)
local replies = {}
if not handled_before then
  local i = 5
  while i <= #ARGV do
    local parts = tonumber(ARGV[i])
    local reply = redis.pcall(unpack(ARGV, i + 1, i + parts))
    local has_failed = type(reply) == 'table' and reply.err
    if has_failed and #replies == 0 then return reply end
    -- As EXEC does: once one is done, all are, or what is done would be done again.
    replies[#replies + 1] = reply
    i = i + parts + 1
  end
  if keep > 0 then
    redis.call('ZADD', KEYS[3], now + keep, event)
    redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
    redis.call('PEXPIRE', KEYS[3], keep)
  end
end
redis.call('XACK', stream, group, id)
redis.call('HDEL', KEYS[2], id)
if handled_before then return false end
return replies
