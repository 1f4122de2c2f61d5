-- leave-active: takes running tasks out of `active` and `lease`. A task that is not in both stays as it is, and so does
-- one that is no longer the caller's.
--
-- leaveActive(places, fence, args, first, count)
--   places  keys: active, lease; taskPrefix: a task's hash is this and its id
--   fence   a number: epoch seconds of the server's clock until which nobody else can have taken the tasks;
--           HELD: for each task, who took it and when, as its record says, and the latest end of the lease that was asked
--           for. One that says otherwise, or whose lease ends later, has been taken anew. A record without the note, or a
--           lost one, says nothing: then the lease alone counts;
--           LISTED: for each task the end its lease must have
--   args    array whose part from `first` on holds `count` ids, at most 1,000; then, two a task for HELD, one a task for
--           LISTED, what the fence tells of each
-- Returns an array (from 1) of true or false, whether this position of the part was taken out; how many were; where the
-- arguments after that begin. Returns nil, and has written nothing, when the fence is an instant and it is past: ask
-- again with HELD.

-- Whether all of these are leased, each given once. False as well where it would cost too much to know.
local function areLeased(lease, taskIds)
  local count, isLeased = #taskIds, {}
  if count <= 8 then
    local ends = redis.call('ZMSCORE', lease, unpack(taskIds))
    for i = 1, count do
      isLeased[taskIds[i]] = ends[i]
    end
  else
    -- Scores are slow to ask for: reading all names costs less while they are few.
    if redis.call('ZCARD', lease) > 6 * count then
      return false
    end
    local leased = redis.call('ZRANGE', lease, 0, -1)
    for i = 1, #leased do
      isLeased[leased[i]] = true
    end
  end
  for i = 1, count do
    if not isLeased[taskIds[i]] then
      return false
    end
    isLeased[taskIds[i]] = false
  end
  return true
end

-- The usual case, at little cost: the tasks end in the order they began, and every one of them is leased.
local function takeTail(active, lease, tail, taskIds, first)
  local count = #tail
  for i = 1, count do
    if tail[count + 1 - i] ~= taskIds[first + i - 1] then
      return false
    end
  end
  if not areLeased(lease, tail) then
    return false
  end
  redis.call('LTRIM', active, 0, -count - 1)
  redis.call('ZREM', lease, unpack(tail))
  return true
end

-- Whether the task at position i, leased until `leaseEnd`, is the caller's.
local function isClaimed(places, fence, args, first, count, i, leaseEnd)
  if fence == 'HELD' then
    local note = redis.pcall('HGET', places.taskPrefix .. args[first + i - 1], 'x:o')
    return leaseEnd <= tonumber(args[first + count + 2 * i - 1])
      and (type(note) ~= 'string' or note == args[first + count + 2 * i - 2])
  end
  return fence ~= 'LISTED' or leaseEnd == tonumber(args[first + count + i - 1])
end

local function findClaimed(places, fence, args, first, count)
  local positions = {}
  local ends = redis.call('ZMSCORE', places.lease, unpack(args, first, first + count - 1))
  for i = 1, count do
    if ends[i] and isClaimed(places, fence, args, first, count, i, tonumber(ends[i])) then
      positions[args[first + i - 1]] = 0
    end
  end
  return positions
end

local function splitActive(activeIds, positions, taken)
  local kept, found = {}, 0
  for i = 1, #activeIds do
    local position = positions[activeIds[i]]
    if position and position > 0 and not taken[position] then
      taken[position] = true
      found = found + 1
    else
      kept[#kept + 1] = activeIds[i]
    end
  end
  return kept, found
end

local function takeFromActive(active, tail, positions, wanted, taken)
  -- The ids asked for may still be the tail, in another order. If not, one command per id has to search the list; to
  -- write it anew is faster while it is not much longer than what leaves it. Measured by bench/micro/scripts.mjs.
  local kept, found = splitActive(tail, positions, taken)
  if found < wanted then
    for i = 1, #taken do
      taken[i] = false
    end
    if redis.call('LLEN', active) > math.min(6 * wanted, 4000) then
      found = 0
      for taskId, position in pairs(positions) do
        if position > 0 and redis.call('LREM', active, -1, taskId) == 1 then
          taken[position] = true
          found = found + 1
        end
      end
      return found
    end
    tail = redis.call('LRANGE', active, 0, -1)
    kept, found = splitActive(tail, positions, taken)
  end
  if found > 0 then
    redis.call('LTRIM', active, 0, -#tail - 1)
    if #kept > 0 then
      redis.call('RPUSH', active, unpack(kept))
    end
  end
  return found
end

-- A user that may not ask for the time is never sure.
local function isLate(fence)
  local time = redis.pcall('TIME')
  return time.err ~= nil or tonumber(time[1]) >= tonumber(fence)
end

local function leaveActive(places, fence, args, first, count)
  local active, lease = places.active, places.lease
  local taken, wanted, last = {}, 0, first + count - 1
  local isUnlisted = fence ~= 'HELD' and fence ~= 'LISTED'
  local rest = last + 1 + (isUnlisted and 0 or fence == 'HELD' and 2 * count or count)
  if isUnlisted and isLate(fence) then
    return nil
  end
  local tail = redis.call('LRANGE', active, -count, -1)
  if isUnlisted and #tail == count and takeTail(active, lease, tail, args, first) then
    for i = 1, count do
      taken[i] = true
    end
    return taken, count, rest
  end
  local positions = findClaimed(places, fence, args, first, count)
  for i = 1, count do
    local taskId = args[first + i - 1]
    taken[i] = false
    -- An id that is given twice counts once.
    if positions[taskId] == 0 then
      positions[taskId] = i
      wanted = wanted + 1
    end
  end
  if wanted == 0 then
    return taken, 0, rest
  end
  local found = takeFromActive(active, tail, positions, wanted, taken)
  if found == #taken then
    redis.call('ZREM', lease, unpack(args, first, last))
  elseif found > 0 then
    local released = {}
    for i = 1, #taken do
      if taken[i] then
        released[#released + 1] = args[first + i - 1]
      end
    end
    redis.call('ZREM', lease, unpack(released))
  end
  return taken, found, rest
end
