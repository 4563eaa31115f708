-- KEYS: dead letters, the messages that were recorded lately, the mark of who publishes this one again, the topic's streams.
-- ARGV: entry, whether the topic is 'durable', for how many milliseconds the mark stands.
-- Replies { 'replayed' }; { 'gone' } where another has done it, or does it now; { 'cut' } where too little is left of the message;
-- { 'orphaned' } where there is no such group any more; or { 'publish', message } where the caller must publish it.
local entry = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not entry then return { 'gone' } end
local fields = {}
for index = 1, #entry[2], 2 do fields[entry[2][index]] = entry[2][index + 1] end
if fields.cut then return { 'cut' } end

local group, raw = fields.g or '', fields.e or ''
local stream = KEYS[4 + (tonumber(fields.p) or 0) % (#KEYS - 3)]
if group ~= '' then
  local is_there = false
  local groups = redis.pcall('XINFO', 'GROUPS', stream)
  for _, info in ipairs(groups.err and {} or groups) do is_there = is_there or info[2] == group end
  -- Nobody would handle it: it would be trimmed away.
  if not is_there then return { 'orphaned' } end
end
local is_published = group == '' and ARGV[2] ~= 'durable'
if is_published and not redis.call('SET', KEYS[3], '1', 'NX', 'PX', ARGV[3]) then return { 'gone' } end

-- For this group only: others acknowledge it unseen. Without a name it is for those who read without a group.
-- The first of what is written: where memory is full it fails, and the letter must stay.
if not is_published then
  redis.call('XADD', stream, '*', 'e', raw, 'g', group)
  redis.call('XDEL', KEYS[1], entry[1])
end
-- Where it still cannot be read, it must be recorded again.
if group == '' then redis.call('ZREM', KEYS[2], redis.sha1hex(raw)) end
return is_published and { 'publish', raw } or { 'replayed' }
