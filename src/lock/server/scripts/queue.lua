-- How long, in milliseconds, a queue is kept that nobody touches: those who wait touch it all the time.
local QUEUE_RETENTION = 60000

-- How long, in microseconds, the smaller of two numbers of permits holds after it was asked for last.
local LIMIT_LIFETIME = 60000000

local function parse(text)
  local first, second, third, fourth = string.match(text, '^(%d+) (%d+) (%d+) (%d+)$')
  return tonumber(first), tonumber(second), tonumber(third), tonumber(fourth)
end

-- Who holds the resource. Those whose time is over are removed.
local function read(keys, fields, now, token)
  local resource = {
    state = keys[1], queue = keys[2], waiters = keys[3],
    last = 0, used = 0, capacity = math.huge, limit = math.huge, first = math.huge,
  }
  for index = 1, #fields, 2 do
    local field, value = fields[index], fields[index + 1]
    if field == 'fence' then
      resource.last = tonumber(value)
    elseif field == 'limit' then
      local permits, ends = string.match(value, '^(%d+) (%d+)$')
      if tonumber(ends) > now then resource.limit = tonumber(permits) end
    else
      local ends, fence, weight, capacity = parse(value)
      if ends <= now then
        redis.call('HDEL', keys[1], field)
      else
        resource.used = resource.used + weight
        resource.capacity = math.min(resource.capacity, capacity)
        resource.first = math.min(resource.first, ends)
        if field == token then resource.fence, resource.ends = fence, ends end
      end
    end
  end
  return resource
end

local function fits(resource, weight, capacity)
  return resource.used + weight <= math.min(resource.capacity, resource.limit, capacity)
end

local function admit(resource, now, token, ttl, weight, capacity)
  local fence = grant(resource.state, resource.last, now, token, ttl, weight .. ' ' .. capacity)
  resource.last = fence
  resource.used = resource.used + weight
  resource.capacity = math.min(resource.capacity, capacity)
  resource.first = math.min(resource.first, now + ttl * 1000)
  return fence
end

local function forget(resource, token)
  redis.call('ZREM', resource.queue, token)
  redis.call('HDEL', resource.waiters, token)
end

-- How those who wait are reached: whether PUBLISH counts all who listen, 1 or 0, and the channel of a process without its name. Which
-- processes do not listen is remembered for as long as the script runs: none begins meanwhile.
local function wakes_of(text)
  local counted, channel = string.match(text, '^(%d) (.*)$')
  return { counted = counted == '1', channel = channel, silent = {} }
end

local function process_of(token)
  return string.match(token, '^[^.]+')
end

-- Tells the process of the token. Whether it listens is known only where all who listen are connected to this server.
local function wake(wakes, state, token, fence)
  local process = process_of(token)
  local message = token .. ' ' .. whole(fence) .. ' ' .. state
  local is_heard = redis.call('PUBLISH', wakes.channel .. process, message) > 0 or not wakes.counted
  if not is_heard then wakes.silent[process] = true end
  return is_heard
end

-- Lets in those who wait, in the order in which they came, as many as fit. Passes over who has not told for too long that it still
-- waits; and who cannot be reached now, but that one keeps its place. The caller's own token, `self`, learns it from the reply.
local function advance(resource, now, wakes, self, ttl)
  local passed = 0
  while resource.used < resource.capacity do
    local token = redis.call('ZRANGE', resource.queue, passed, passed)[1]
    if not token then return end
    local ends, weight, capacity, term = parse(redis.call('HGET', resource.waiters, token) or '0 0 0 0')
    if ends <= now then
      forget(resource, token)
    elseif not fits(resource, weight, capacity) then
      return
    elseif token == self then
      resource.fence = admit(resource, now, token, ttl, weight, capacity)
      resource.ends = now + ttl * 1000
      forget(resource, token)
    elseif wakes.silent[process_of(token)] then
      passed = passed + 1
    else
      local before = { resource.used, resource.capacity, resource.first }
      -- The grant first: where memory is full it fails, and nobody must be told of it.
      local fence = admit(resource, now, token, term, weight, capacity)
      if wake(wakes, resource.state, token, fence) then
        forget(resource, token)
      else
        redis.call('HDEL', resource.state, token)
        resource.used, resource.capacity, resource.first = before[1], before[2], before[3]
        passed = passed + 1
      end
    end
  end
end

local function note(resource, now, token, patience, weight, capacity, term)
  redis.call('HSET', resource.waiters, token,
    whole(now + patience * 1000) .. ' ' .. weight .. ' ' .. capacity .. ' ' .. term)
end

local function retain_queue(resource)
  redis.call('PEXPIRE', resource.queue, QUEUE_RETENTION)
  redis.call('PEXPIRE', resource.waiters, QUEUE_RETENTION)
end

-- Puts the token at the end of the queue, also where the clock was set back; or notes that it waits there already. Replies with its arrival.
local function join(resource, now, token, patience, weight, capacity, term)
  local last = redis.call('ZRANGE', resource.queue, -1, -1, 'WITHSCORES')[2]
  local arrival = whole(last and math.max(now, last + 1) or now)
  local is_new = redis.call('ZADD', resource.queue, 'NX', arrival, token) == 1
  note(resource, now, token, patience, weight, capacity, term)
  if not last then retain_queue(resource) end
  -- Adds nothing, and replies with the score: who waits needs the permission for one command less.
  return is_new and arrival or redis.call('ZADD', resource.queue, 'INCR', 0, token)
end

-- Notes that the token still waits, at its old place: the queue may have been lost meanwhile.
local function stay(resource, now, token, arrival, patience, weight, capacity, term)
  redis.call('ZADD', resource.queue, 'NX', arrival, token)
  note(resource, now, token, patience, weight, capacity, term)
  retain_queue(resource)
end

-- Milliseconds until the first holder's time is over, rounded up; -1 where nobody holds it.
local function remaining(resource, now)
  if resource.first == math.huge then return -1 end
  return math.ceil((resource.first - now) / 1000)
end
