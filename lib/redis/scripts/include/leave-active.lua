-- leave-active: removes running tasks from `active` and `lease`. A task that is not in both, or is no longer the
-- caller's, is left unchanged. What is rare while one server works on a queue is in take-claimed, so that the usual call
-- stays fast.
--
-- leaveActive(first)
--   KEYS[1], KEYS[2]  active, lease
--   ARGV[1]           taskPrefix: a task's key is this plus its id
--   ARGV[first - 2]   fence. A number: the earliest end of the leases that the caller holds, epoch seconds;
--                     HELD: for each task, who took it and when, as on its record, and the latest end of the lease that was
--                     asked for. A task with another note or a later lease was taken again. If the note or the record
--                     is missing, only the lease counts;
--                     LISTED: for each task, the end that its lease must have
--   ARGV[first - 1]   how many tasks, 1 to 1,000
--   ARGV[first..]     their ids; then what the fence says about each: two per task for HELD, one per task for LISTED
-- Returns an array (from 1) of whether each task was removed; how many were; where the arguments after that begin.
-- Returns nil and writes nothing when a number cannot tell whether the tasks are the caller's: call again with HELD.
local function leaveActive(first)
  local call, active, lease = redis.call, KEYS[1], KEYS[2]
  local fence, count = tonumber(ARGV[first - 2]), tonumber(ARGV[first - 1])
  local taken, found, leased, isOurs = {}, 0, nil, false

  if fence and count <= 2 then
    -- A server that takes a task again leases it for longer.
    leased, isOurs = {}, true
    for i = first, first + count - 1 do
      local leaseEnd = call('ZSCORE', lease, ARGV[i])
      leased[ARGV[i]] = leaseEnd
      isOurs = isOurs and (not leaseEnd or tonumber(leaseEnd) <= fence)
    end
  end
  if fence and not isOurs then
    -- Nobody takes a task before its lease has ended by a clock that is at most ten seconds fast. A user who may not ask
    -- for the time can never rely on this.
    local time = redis.pcall('TIME')
    if time.err or tonumber(time[1]) >= fence - 10 then
      return nil
    end
  end

  if leased then
    for i = 1, count do
      local taskId = ARGV[first + i - 1]
      taken[i] = leased[taskId] ~= false and call('LREM', active, -1, taskId) == 1
      if taken[i] then
        call('ZREM', lease, taskId)
        -- An id that is given twice counts once.
        leased[taskId] = false
        found = found + 1
      end
    end
    return taken, found, first + count
  end

  -- Most tasks end in the order in which they began.
  if fence and call('LINDEX', active, -1) == ARGV[first] then
    local tail = call('RPOP', active, count)
    local inOrder = 0
    while inOrder < count and tail[inOrder + 1] == ARGV[first + inOrder] do
      inOrder = inOrder + 1
    end
    if inOrder == count then
      for i = 1, count do
        taken[i] = redis.pcall('ZREM', lease, tail[i]) == 1
        found = found + (taken[i] and 1 or 0)
      end
      if found == count then
        return taken, found, first + count
      end
    end
    for i = #tail, 1, -1 do
      if not taken[i] then
        call('RPUSH', active, tail[i])
      end
    end
    if inOrder == count then
      -- Nothing has changed for the other tasks: a key of a wrong type stops the script here.
      call('ZCARD', lease)
      return taken, found, first + count
    end
  end

  -- include: take-claimed
  return takeClaimed(first)
end
