-- heal: heals what is still inconsistent in a queue. Checks again first, to leave tasks alone that have moved since.
--
-- KEYS[1]    pending          list  task ids, next to run at the right
-- KEYS[2]    active           list  ids of running tasks
-- KEYS[3]    lease            zset  task id -> lease expiry, epoch seconds
-- KEYS[4]    scheduled        zset  task id -> due time, epoch seconds
-- KEYS[5]    retry            zset  task id -> due time, epoch seconds
-- KEYS[6]    archived         zset  task id -> time of archiving, epoch seconds
-- KEYS[7]    completed        zset  task id -> end of retention, epoch seconds
-- KEYS[8]    groups           set   names of groups with waiting tasks
-- KEYS[9]    aggregationSets  zset  full key of an aggregation set -> its deadline, epoch seconds
-- KEYS[10]   due              zset  task id -> exact due time, epoch milliseconds
-- ARGV[1]    taskPrefix       a task's key is this plus its id; built here, same hash slot
-- ARGV[2]    groupPrefix      a group's key is this plus its name; built here, same hash slot
-- ARGV[3]    now              epoch seconds
-- ARGV[4]    pendingSince     epoch nanoseconds, decimal text
-- ARGV[5]    wakeChannel
-- ARGV[6]    queue
-- ARGV[7..]  faults           four per fault: a word; task id or group name; group of the task's message, or ''; end of its
--                             retention, epoch seconds, or ''. The words are those of check-place and check-tasks, and
--                             GROUP_NOT_LISTED for what check-groups returns. Groups come first
--
-- Reply      array with a word for each fault
--   HEALED   it was still inconsistent and has been healed
--   RIGHT    it is consistent; nothing was written
--   LATER    the check takes too long for this call
-- Cost       O(n log N + P), n faults, N tasks in sets, P up to 1,000,000 ids of lists walked through
local places = {
  pending = KEYS[1], active = KEYS[2], lease = KEYS[3], scheduled = KEYS[4], retry = KEYS[5],
  archived = KEYS[6], completed = KEYS[7], aggregationSets = KEYS[9],
}
local groups, due = KEYS[8], KEYS[10]
local taskPrefix, groupPrefix, now, pendingSince = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local wakeChannel, queue = ARGV[5], ARGV[6]

-- include: notices
-- include: find-task
-- include: write-when-full

local inList, inPlace, moved, isKnown = findTask(places, groupPrefix)
local sets = { 'scheduled', 'retry', 'archived', 'completed' }

-- A long list is searched only for tasks whose state is that of the list: an id without a task is dropped when it is
-- dequeued.
local hasPending = isSound(places.pending, 'list')
local isLong = hasPending and redis.call('LLEN', places.pending) > 5000
local walked = 0
local function mayWalkPending()
  local length = hasPending and redis.call('LLEN', places.pending) or 0
  if walked > 0 and walked + length > 1000000 then
    return false
  end
  walked = walked + length
  return true
end

local function stored(taskId)
  local fields = redis.pcall('HMGET', taskPrefix .. taskId, 'state', 'group')
  if fields.err then
    return false, ''
  end
  local isTask = redis.call('HEXISTS', taskPrefix .. taskId, 'msg') == 1
  return isTask, fields[1] or '', fields[2] ~= '' and fields[2] or nil
end

local function leaveList(list, taskId)
  if not isSound(list, 'list') then
    return 0
  end
  moved(list, taskId, false)
  return redis.call('LREM', list, 0, taskId)
end

-- Removes an id from every place except that of `state`; returns from how many, and the first of them.
local function leaveOthers(taskId, state)
  local left, from = 0, nil
  local function leave(name, removed)
    left, from = left + removed, from or removed > 0 and name or nil
  end
  for _, name in ipairs(sets) do
    if name ~= state and isSound(places[name], 'zset') then
      leave(name, redis.call('ZREM', places[name], taskId))
    end
  end
  if state ~= 'scheduled' and state ~= 'retry' and isSound(due, 'zset') then
    redis.call('ZREM', due, taskId)
  end
  if state ~= 'active' then
    leave('lease', isSound(places.lease, 'zset') and redis.call('ZREM', places.lease, taskId) or 0)
    leave('active', leaveList(places.active, taskId))
  end
  if state ~= 'pending' and not isLong then
    leave('pending', leaveList(places.pending, taskId))
  end
  if state ~= 'aggregating' and isSound(groups, 'set') and redis.call('SCARD', groups) <= 1000 then
    for _, group in ipairs(redis.call('SMEMBERS', groups)) do
      if isSound(groupPrefix .. group, 'zset') then
        leave('group', redis.call('ZREM', groupPrefix .. group, taskId))
      end
    end
  end
  return left, from
end

-- Returns the state whose place holds the id, if there is one.
local function whereIs(taskId, group)
  for _, name in ipairs(sets) do
    if inPlace(name, taskId) then
      return name
    end
  end
  for _, state in ipairs({ 'aggregating', 'active', 'pending' }) do
    if not (state == 'pending' and isLong) and inPlace(state, taskId, group) then
      return state
    end
  end
end

-- A due time that is still known is in `due`; without it the task is due now.
local function dueSecond(taskId)
  local dueAt = isSound(due, 'zset') and redis.call('ZSCORE', due, taskId)
  return dueAt and math.ceil(dueAt / 1000) or now
end

local function place(taskId, state, group, expiresAt)
  if state == 'active' then
    -- With an expired lease, so that it is recovered.
    redis.call('LPUSH', places.active, taskId)
    redis.call('ZADD', places.lease, now, taskId)
    moved(places.active, taskId, true)
  elseif state == 'scheduled' or state == 'retry' then
    redis.call('ZADD', places[state], dueSecond(taskId), taskId)
  elseif state == 'archived' then
    redis.call('ZADD', places.archived, now, taskId)
  elseif state == 'completed' then
    redis.call('ZADD', places.completed, expiresAt ~= '' and expiresAt or now, taskId)
  elseif state == 'aggregating' and group then
    redis.call('ZADD', groupPrefix .. group, now, taskId)
    redis.call('SADD', groups, group)
    redis.call('HSET', taskPrefix .. taskId, 'group', group)
  else
    -- It has waited longer than the tasks in the list.
    local length = redis.call('RPUSH', places.pending, taskId)
    redis.call('HSET', taskPrefix .. taskId, 'state', 'pending')
    redis.call('HSETNX', taskPrefix .. taskId, 'pending_since', pendingSince)
    moved(places.pending, taskId, true)
    if length == 1 then
      redis.pcall('PUBLISH', wakeChannel, queue)
    end
  end
end

-- Puts a task into the one place that its state names.
local function settleIn(taskId, messageGroup, expiresAt)
  local isTask, state, group = stored(taskId)
  group = group or (messageGroup ~= '' and messageGroup or nil)
  local isOurs = state == '' or state == 'aggregating' or (places[state] and state ~= 'lease')
  -- A task may be in a place that cannot be checked.
  if not isTask or not isOurs or not isKnown(state, group) or state == 'aggregating' and not isSound(groups, 'set') then
    return 'RIGHT'
  end
  if not mayWalkPending() then
    return 'LATER'
  end
  if state ~= '' and inPlace(state, taskId, group) then
    return leaveOthers(taskId, state) > 0 and 'HEALED' or 'RIGHT'
  end
  local found = whereIs(taskId, group)
  if found then
    redis.call('HSET', taskPrefix .. taskId, 'state', found)
  else
    place(taskId, state, group, expiresAt)
  end
  return 'HEALED'
end

-- Ids without a task that were dropped, by place.
local lost = {}
local heal = {}

function heal.TASK_WITHOUT_PLACE(taskId, group, expiresAt)
  return settleIn(taskId, group, expiresAt)
end

function heal.TASK_IN_WRONG_PLACE(taskId, group, expiresAt)
  return settleIn(taskId, group, expiresAt)
end

function heal.ID_WITHOUT_TASK(taskId, group, expiresAt)
  local isTask, state = stored(taskId)
  if isTask then
    return state == '' and settleIn(taskId, group, expiresAt) or 'RIGHT'
  end
  local _, from = leaveOthers(taskId)
  if from then
    lost[from] = (lost[from] or 0) + 1
  end
  return from and 'HEALED' or 'RIGHT'
end

function heal.TASK_WITHOUT_MESSAGE(taskId)
  -- Wherever its id remains, it is now an id without a task.
  return not stored(taskId) and redis.call('DEL', taskPrefix .. taskId) == 1 and 'HEALED' or 'RIGHT'
end

function heal.ACTIVE_WITHOUT_LEASE(taskId)
  local isTask, state = stored(taskId)
  if state ~= 'active' or not isTask or not isKnown('active') or redis.call('ZSCORE', places.lease, taskId)
    or not inList(places.active, taskId) then
    return 'RIGHT'
  end
  redis.call('ZADD', places.lease, now, taskId)
  return 'HEALED'
end

function heal.LEASE_WITHOUT_ACTIVE(taskId)
  local isTask, state = stored(taskId)
  if not isKnown('active') or not redis.call('ZSCORE', places.lease, taskId) then
    return 'RIGHT'
  elseif not isTask then
    return heal.ID_WITHOUT_TASK(taskId)
  elseif state ~= 'active' then
    return redis.call('ZREM', places.lease, taskId) == 1 and 'HEALED'
  elseif inList(places.active, taskId) then
    return 'RIGHT'
  end
  redis.call('LPUSH', places.active, taskId)
  moved(places.active, taskId, true)
  return 'HEALED'
end

-- A key named like a group may be an aggregation set; its tasks tell which. A set is registered with a past deadline,
-- so that its members return to their group.
function heal.GROUP_NOT_LISTED(name)
  local key = groupPrefix .. name
  local members = redis.pcall('ZRANGE', key, 0, 99)
  if #members == 0 or not isSound(groups, 'set') or not isSound(places.aggregationSets, 'zset') or redis.call('SISMEMBER', groups, name) == 1 or redis.call('ZSCORE', places.aggregationSets, key) then
    return 'RIGHT'
  end
  for _, taskId in ipairs(members) do
    local group = redis.pcall('HGET', taskPrefix .. taskId, 'group')
    if type(group) == 'string' and group ~= '' and string.sub(name, 1, #group + 1) == group .. ':' then
      redis.call('ZADD', places.aggregationSets, now, key)
      return 'HEALED'
    end
  end
  redis.call('SADD', groups, name)
  return 'HEALED'
end

-- The tasks healed here are run and freed afterwards.
writeWhenFull(due)
local reply = {}
for i = 7, #ARGV, 4 do
  reply[#reply + 1] = heal[ARGV[i]](ARGV[i + 1], ARGV[i + 2], ARGV[i + 3])
end
for from, count in pairs(lost) do
  noteDropped(from, count)
end
return withNotices(reply)
