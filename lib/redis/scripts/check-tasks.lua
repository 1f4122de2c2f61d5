-- check-tasks: checks whether tasks are where they say they are. Writes nothing.
--
-- KEYS[1]    pending          list  task ids, next to run at the right
-- KEYS[2]    active           list  ids of running tasks
-- KEYS[3]    lease            zset  task id -> lease expiry, epoch seconds
-- KEYS[4]    scheduled        zset  task id -> due time, epoch seconds
-- KEYS[5]    retry            zset  task id -> due time, epoch seconds
-- KEYS[6]    archived         zset  task id -> time of archiving, epoch seconds
-- KEYS[7]    completed        zset  task id -> end of retention, epoch seconds
-- KEYS[8]    aggregationSets  zset  full key of an aggregation set -> its deadline, epoch seconds
-- ARGV[1]    taskPrefix       a task's key is this plus its id; built here, same hash slot
-- ARGV[2]    groupPrefix      a group's key is this plus its name; built here, same hash slot
-- ARGV[3..]  taskIds          of hashes that were found
--
-- Reply      array, three for each fault: a word, task id, message or ''
--   TASK_WITHOUT_MESSAGE  a hash that is not a task
--   TASK_WITHOUT_PLACE    not in the place of its state. A pending task of a long queue is reported only if it became
--                         pending before the tasks that run next
-- Cost       O(n + N), n tasks given, N running tasks and up to 5,000 pending ones
local places = {
  pending = KEYS[1], active = KEYS[2], lease = KEYS[3], scheduled = KEYS[4], retry = KEYS[5],
  archived = KEYS[6], completed = KEYS[7], aggregationSets = KEYS[8],
}
local taskPrefix, groupPrefix = ARGV[1], ARGV[2]

-- include: notices
-- include: find-task

local _, inPlace, _, isKnown = findTask(places, groupPrefix)
local isLong = isSound(places.pending, 'list') and redis.call('LLEN', places.pending) > 5000

-- A long list is not searched for an id: tasks run in the order in which they became pending, so only a task that
-- became pending before all of the next ones is suspicious. Requeued tasks among those have later times; a hundred are
-- checked, so that a few requeued ones do not hide the order.
local nextSince
local function isBeforeNext(taskId, since)
  if not nextSince then
    nextSince = math.huge
    for _, nextId in ipairs(redis.call('LRANGE', places.pending, -100, -1)) do
      local time = redis.pcall('HGET', taskPrefix .. nextId, 'pending_since')
      nextSince = math.min(nextSince, type(time) == 'string' and tonumber(time) or math.huge)
    end
  end
  return since and tonumber(since) and tonumber(since) < nextSince
end

local function isPlaced(state, taskId, group, since)
  if not isKnown(state, group) then
    return true
  elseif state == 'pending' and isLong then
    return not isBeforeNext(taskId, since)
  elseif state == '' then
    return false
  end
  -- The place of a state of a newer protocol is not known here.
  return not places[state] and state ~= 'aggregating' or inPlace(state, taskId, group)
end

local reply = {}
local function report(word, taskId, message)
  local at = #reply
  reply[at + 1], reply[at + 2], reply[at + 3] = word, taskId, message
end
for i = 3, #ARGV do
  local taskId = ARGV[i]
  local task = taskPrefix .. taskId
  local fields = redis.pcall('HMGET', task, 'state', 'group', 'pending_since')
  if fields.err then
    isSound(task, 'hash')
  elseif redis.call('EXISTS', task) == 1 then
    local state, group = fields[1] or '', fields[2] or nil
    if redis.call('HEXISTS', task, 'msg') == 0 then
      report('TASK_WITHOUT_MESSAGE', taskId, '')
    elseif not isPlaced(state, taskId, group, fields[3] or nil) then
      report('TASK_WITHOUT_PLACE', taskId, redis.call('HGET', task, 'msg'))
    end
  end
end
return withNotices(reply)
