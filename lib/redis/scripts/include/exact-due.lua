-- exact-due: finds the members of `due` that still give the due time of a task. A process that does not know the key
-- leaves the member behind when it moves the task: a member counts only while, rounded up to seconds, it equals the
-- task's score in scheduled or retry. Needs notices before it.
--
-- exactDueOf(scheduled, retry, due) returns a function
--   exactDue(page)  page: task id, epoch milliseconds, and so on, as read from `due`; at most 1,000 members.
--                   Returns three arrays for the members that count, in the order of the page: their ids, their epoch
--                   milliseconds, and whether they wait in retry. Removes the others.
local function exactDueOf(scheduled, retry, due)
  return function(page)
    local taskIds, dueAts, inRetry, members, stale = {}, {}, {}, {}, {}
    for i = 1, #page / 2 do
      members[i] = page[2 * i - 1]
    end
    if #members == 0 or not isSound(scheduled, 'zset') or not isSound(retry, 'zset') then
      return taskIds, dueAts, inRetry
    end
    local scheduledAt = redis.call('ZMSCORE', scheduled, unpack(members))
    local retryAt = redis.call('EXISTS', retry) == 1 and redis.call('ZMSCORE', retry, unpack(members)) or {}
    local found = 0
    for i = 1, #members do
      local dueAt = tonumber(page[2 * i])
      local second = math.ceil(dueAt / 1000)
      local isScheduled = tonumber(scheduledAt[i] or nil) == second
      if isScheduled or tonumber(retryAt[i] or nil) == second then
        found = found + 1
        taskIds[found], dueAts[found], inRetry[found] = members[i], dueAt, not isScheduled
      else
        stale[#stale + 1] = members[i]
      end
    end
    if #stale > 0 then
      redis.call('ZREM', due, unpack(stale))
    end
    return taskIds, dueAts, inRetry
  end
end
