-- leave-active: takes running tasks out of `active` and `lease`. A task that is not in both stays as it is.
--
-- leaveActive(active, lease, taskIds, first, last, leases)
--   taskIds, first, last  the part of an array that holds the ids; at most 4,000
--   leases                nil, or an array (from 1) of the lease ends asked for, epoch seconds; '' asks for none:
--                         a task whose lease ends at another second has another owner by now and stays as it is
-- Returns an array (from 1) of true or false, whether this position of the part was taken out, and how many were.
local function leaveActive(active, lease, taskIds, first, last, leases)
  local ends = redis.call('ZMSCORE', lease, unpack(taskIds, first, last))
  local taken, positions, wanted = {}, {}, 0
  for i = 1, last - first + 1 do
    local taskId = taskIds[first + i - 1]
    taken[i] = false
    -- An id that is given twice counts once.
    if ends[i] and not positions[taskId]
      and (not leases or leases[i] == '' or tonumber(leases[i]) == tonumber(ends[i])) then
      positions[taskId] = i
      wanted = wanted + 1
    end
  end
  if wanted == 0 then
    return taken, 0
  end

  -- Tasks end about in the order they began, so the ids asked for are often the very tail of the list.
  local tail, found = redis.call('LRANGE', active, -wanted, -1), 0
  for i = 1, #tail do
    local position = positions[tail[i]]
    if position and not taken[position] then
      taken[position] = true
      found = found + 1
    end
  end
  local released = {}
  if found == wanted then
    redis.call('LTRIM', active, 0, -wanted - 1)
    for taskId in pairs(positions) do
      released[#released + 1] = taskId
    end
  else
    for taskId, position in pairs(positions) do
      taken[position] = redis.call('LREM', active, -1, taskId) == 1
      if taken[position] then
        released[#released + 1] = taskId
      end
    end
  end
  if #released > 0 then
    redis.call('ZREM', lease, unpack(released))
  end
  return taken, #released
end
