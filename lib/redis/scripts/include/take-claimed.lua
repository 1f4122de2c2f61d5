-- take-claimed: the part of leave-active for tasks that are not the oldest, end in any order or need a closer check. With
-- several servers on a queue this is the usual part, since the tasks of one server are in the middle of `active`.
--
-- takeClaimed(first)
--   first  as in leave-active; a fence that is a number has been checked: all leased tasks are the caller's
-- Returns what leaveActive does, never nil.

-- Returns whether the task at position i, leased until `leaseEnd`, is the caller's.
local function isClaimed(first, i, leaseEnd)
  local count = tonumber(ARGV[first - 1])
  if ARGV[first - 2] == 'LISTED' then
    return leaseEnd == tonumber(ARGV[first + count + i - 1])
  end
  local note = redis.pcall('HGET', ARGV[1] .. ARGV[first + i - 1], 'x:o')
  return leaseEnd <= tonumber(ARGV[first + count + 2 * i - 1])
    and (type(note) ~= 'string' or note == ARGV[first + count + 2 * i - 2])
end

-- Returns task id -> position for the tasks to take, and how many there are. An id that is given twice counts once.
local function findWanted(first, isSure)
  local positions, wanted, count = {}, 0, tonumber(ARGV[first - 1])
  local ends = not isSure and redis.call('ZMSCORE', KEYS[2], unpack(ARGV, first, first + count - 1))
  for i = 1, count do
    local taskId = ARGV[first + i - 1]
    if not positions[taskId] and (isSure or ends[i] and isClaimed(first, i, tonumber(ends[i]))) then
      positions[taskId] = i
      wanted = wanted + 1
    end
  end
  return positions, wanted
end

-- Removes the wanted tasks by writing the list again.
local function takeByRewrite(active, lease, length, positions, taken)
  local call, taskIds, kept = redis.call, redis.call('LRANGE', active, 0, -1), {}
  for i = 1, length do
    local taskId = taskIds[i]
    local position = positions[taskId]
    if position and not taken[position] and call('ZREM', lease, taskId) == 1 then
      taken[position] = true
    else
      kept[#kept + 1] = taskId
    end
  end
  if #kept < length then
    call('LTRIM', active, 0, -length - 1)
    if #kept > 0 then
      call('RPUSH', active, unpack(kept))
    end
  end
end

-- Removes the wanted tasks in place: one by one, or marked with an empty id and then removed by one command.
local function takeInPlace(active, lease, length, first, positions, wanted, taken)
  local call, marked = redis.call, 0

  -- Marks the wanted tasks from index `left` to `right`. Returns how many there were.
  local function mark(left, right)
    local met, taskIds = 0, call('LRANGE', active, left, right)
    for i = #taskIds, 1, -1 do
      local taskId = taskIds[i]
      local position = positions[taskId]
      if position then
        positions[taskId] = nil
        met = met + 1
        -- ZREM is the first write: a server out of memory allows it, and then LSET too.
        if call('ZREM', lease, taskId) == 1 then
          call('LSET', active, left + i - 1, '')
          taken[position] = true
          marked = marked + 1
        end
      end
    end
    return met
  end

  -- Tasks that were fetched together are neighbors, the first one on the right, so one search may find a run of them. The
  -- next run is expected to be as long as the last one, and shorter after a search that found a single task.
  local run, i = wanted, 0
  while wanted > 0 and wanted <= math.max(24, 4 * run) do
    i = i + 1
    local taskId = ARGV[first + i - 1]
    if positions[taskId] == i then
      local place = length * (run - 6) > 3000 + 190 * run and call('LPOS', active, taskId, 'RANK', -1) or 0
      if place > 0 and positions[call('LINDEX', active, place - 1)] then
        run = mark(math.max(0, place - math.min(2 * run, wanted) + 1), place)
        wanted = wanted - run
      else
        run, wanted = math.max(1, math.floor(run / 8)), wanted - 1
        positions[taskId] = nil
        if call('LREM', active, -1, taskId) == 1 then
          taken[i] = call('ZREM', lease, taskId) == 1
          if not taken[i] then
            call('RPUSH', active, taskId)
          end
        end
      end
    end
  end
  while wanted > 0 and length > 0 do
    wanted = wanted - mark(math.max(0, length - 1000), length - 1)
    length = length - 1000
  end
  if marked > 0 then
    call('LREM', active, -marked, '')
  end
end

local function takeClaimed(first)
  local active, lease, fence, count = KEYS[1], KEYS[2], ARGV[first - 2], tonumber(ARGV[first - 1])
  -- A key of a wrong type stops the script here, before anything is written.
  local length = redis.call('LLEN', active)
  redis.call('ZCARD', lease)
  local positions, wanted = findWanted(first, tonumber(fence) ~= nil)
  local taken, found = {}, 0
  for i = 1, count do
    taken[i] = false
  end
  -- Writing the list again is faster if few ids remain. All limits were measured by bench/micro/scripts.mjs.
  if wanted >= 10 and length <= 5 * wanted then
    takeByRewrite(active, lease, length, positions, taken)
  else
    takeInPlace(active, lease, length, first, positions, wanted, taken)
  end
  for i = 1, count do
    found = found + (taken[i] and 1 or 0)
  end
  local told = fence == 'HELD' and 2 or fence == 'LISTED' and 1 or 0
  return taken, found, first + (1 + told) * count
end
