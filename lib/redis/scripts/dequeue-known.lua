-- dequeue-known: takes the oldest pending tasks of some types and leases them to a server. Checks a bounded number
-- of tasks and leaves those of other types where they are.
--
-- KEYS[1]    pending     list    task ids, next to run at the right
-- KEYS[2]    paused      string  exists while the queue is paused
-- KEYS[3]    active      list    ids of running tasks, newest at the left
-- KEYS[4]    lease       zset    task id -> lease expiry, epoch seconds
-- ARGV[1]    taskPrefix  a task's key is this plus its id; built here, same hash slot
-- ARGV[2]    leaseUntil  epoch seconds
-- ARGV[3]    limit       how many tasks at most, 1 to 1,000
-- ARGV[4]    owner       when the server takes them, epoch seconds, and the server, host:pid:server-id
-- ARGV[5]    lookedUpTo  where an earlier call ended, from its reply; empty to begin with the oldest task
-- ARGV[6]    oldest      how many of the oldest tasks are checked even if an earlier call has checked them
-- ARGV[7]    window      how many other tasks are checked at most
-- ARGV[8]    maxTypes   how many types of tasks that were left are returned, at most
-- ARGV[9]    exact       how many exact types follow first
-- ARGV[10]   prefixes    how many type prefixes follow next
-- ARGV[11..] types       the types, the prefixes, and types that are left although they match
--
-- Reply      array: a word; where the call ended, empty when no task was left; how many types follow; types of tasks that
--            were left; then id and task message of each task taken, oldest first
--   SOME     there may be more
--   DRAINED  the queue is empty now
--   OTHERS   every task in the queue is of another type
--   PAUSED   the queue returns nothing until it is resumed
-- Cost       O(w + n log N + d), w tasks checked, n taken, N leased tasks, d tasks between those taken and the nearer end
--            of the queue; ids without a stored task are dropped on the way
local pending, paused, active, lease = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local taskPrefix, leaseUntil, limit, owner, lookedUpTo = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
local oldest, window, maxTypes = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local exact, prefixes = tonumber(ARGV[9]), tonumber(ARGV[10])

-- include: notices
-- include: task-type
-- include: lease-taken

if redis.call('EXISTS', paused) == 1 then
  return { 'PAUSED', '', 0 }
end

-- Runs before any write: nothing can be taken while a key that must hold running tasks has a wrong type.
local isListSound, isActiveSound, isLeaseSound = isSound(pending, 'list'), isSound(active, 'list'), isSound(lease, 'zset')
if not (isListSound and isActiveSound and isLeaseSound) then
  return withNotices({ 'DRAINED', '', 0 })
end

local known = {}
for i = 1, #ARGV - 10 do
  if i <= exact or i > exact + prefixes then
    known[ARGV[10 + i]] = i <= exact
  end
end

local function isKnown(name)
  if known[name] == nil then
    known[name] = false
    for i = 11 + exact, 10 + exact + prefixes do
      if string.sub(name, 1, #ARGV[i]) == ARGV[i] then
        known[name] = true
        break
      end
    end
  end
  return known[name]
end

local length = redis.call('LLEN', pending)
local taken, leaving, types, named, found = {}, {}, {}, {}, {}
-- The newest task that was checked and left: its id, and its distance from the right end, which is 1 for the oldest.
local left, leftId
local bytes, isCutShort = 0, false

-- Checks the positions from `first` down to `last`.
local function look(first, last)
  while first >= last do
    local from = math.max(last, first - 99)
    local taskIds = redis.call('LRANGE', pending, from, first)
    for i = #taskIds, 1, -1 do
      local place, taskId = from + i - 1, taskIds[i]
      -- Large messages end the call early, because each must be copied to be checked.
      if #taken == limit or bytes > 1000000 then
        isCutShort = true
        return
      end
      local hash = taskPrefix .. taskId
      -- A key of a wrong type is not a task either and must not stop the queue.
      local message = redis.pcall('HGET', hash, 'msg')
      local name = type(message) == 'string' and taskType(message)
      if name and not isKnown(name) then
        left, leftId = length - place - #leaving, taskId
        bytes = bytes + #message
        if #types < maxTypes and not named[name] then
          named[name] = true
          types[#types + 1] = name
        end
      else
        leaving[#leaving + 1] = place
        if type(message) == 'string' then
          redis.call('HSET', hash, 'state', 'active', 'x:o', owner)
          redis.call('HDEL', hash, 'pending_since')
          taken[#taken + 1] = taskId
          found[#found + 1] = taskId
          found[#found + 1] = message
        elseif message then
          isSound(hash, 'hash')
        end
      end
    end
    first = from - 1
  end
end

-- Positions count from the left, so tasks that others take from or put back at the right end do not change them.
local unseen = length - 1
local distance, newestSeen = string.match(lookedUpTo, '^(%d+) (.*)$')
if newestSeen then
  local place = length - distance
  if place < 0 or redis.call('LINDEX', pending, place) ~= newestSeen then
    place = redis.call('LPOS', pending, newestSeen, 'MAXLEN', 100000)
  end
  if place then
    unseen = place - 1
    look(length - 1, math.max(length - oldest, place))
    left, leftId = length - place - #leaving, newestSeen
  end
end
look(unseen, math.max(0, unseen - window + 1))

-- The tasks taken are marked and then removed in one command, from the nearer end.
local fromLeft = 0
for i = 1, #leaving do
  redis.call('LSET', pending, leaving[i], '')
  if leaving[i] < length / 2 then
    fromLeft = fromLeft + 1
  end
end
if fromLeft > 0 then
  redis.call('LREM', pending, fromLeft, '')
end
if fromLeft < #leaving then
  redis.call('LREM', pending, fromLeft - #leaving, '')
end
noteDropped('pending', #leaving - #taken)
if #taken > 0 then
  leaseTaken(taken, leaseUntil)
end

local word = 'OTHERS'
if #leaving == length then
  word = 'DRAINED'
elseif isCutShort or unseen >= window then
  word = 'SOME'
end
local reply = { word, left and string.format('%d ', left) .. leftId or '', #types }
for i = 1, #types do
  reply[#reply + 1] = types[i]
end
for i = 1, #found do
  reply[#reply + 1] = found[i]
end
return withNotices(reply)
