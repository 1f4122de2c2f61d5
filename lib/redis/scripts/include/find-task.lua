-- find-task: finds the place of a task's id in its queue. Needs notices before it. A place whose key has a wrong type
-- cannot be checked and counts as empty; see isKnown.
--
-- findTask(places, groupPrefix) returns four functions
--   places   keys: pending, active, lease, scheduled, retry, archived, completed, aggregationSets
--   inList(list, taskId)           whether a list holds the id. Lists of up to 5,000 ids are read once for all calls;
--                                  longer ones are searched for each id, O(N).
--   inPlace(state, taskId, group)  whether the id is in the place of that state. The place of active is its list or
--                                  lease; that of aggregating is the group (its name, or nil when unknown) or one of
--                                  its aggregation sets.
--   moved(list, taskId, isThere)   must be called when the script adds an id to or removes it from a list
--   isKnown(state, group)          whether every key of the place of that state has its type
local function findTask(places, groupPrefix)
  local members, aggregationSets = {}, nil

  local function inList(list, taskId)
    if not isSound(list, 'list') then
      return false
    end
    if members[list] == nil then
      members[list] = false
      if redis.call('LLEN', list) <= 5000 then
        members[list] = {}
        for _, member in ipairs(redis.call('LRANGE', list, 0, -1)) do
          members[list][member] = true
        end
      end
    end
    if members[list] then
      return members[list][taskId] == true
    end
    return redis.call('LPOS', list, taskId) ~= false
  end

  local function inGroup(taskId, group)
    local groupKey = groupPrefix .. (group or '')
    if group and isSound(groupKey, 'zset') and redis.call('ZSCORE', groupKey, taskId) then
      return true
    end
    aggregationSets = aggregationSets
      or isSound(places.aggregationSets, 'zset') and redis.call('ZRANGE', places.aggregationSets, 0, -1)
      or {}
    for _, set in ipairs(aggregationSets) do
      if string.sub(set, 1, #groupKey) == groupKey and isSound(set, 'zset') and redis.call('ZSCORE', set, taskId) then
        return true
      end
    end
    return false
  end

  local function inPlace(state, taskId, group)
    if state == 'pending' then
      return inList(places.pending, taskId)
    elseif state == 'active' then
      return isSound(places.lease, 'zset') and redis.call('ZSCORE', places.lease, taskId) ~= false
        or inList(places.active, taskId)
    elseif state == 'aggregating' then
      return inGroup(taskId, group)
    end
    return isSound(places[state], 'zset') and redis.call('ZSCORE', places[state], taskId) ~= false
  end

  local function moved(list, taskId, isThere)
    if members[list] then
      members[list][taskId] = isThere
    end
  end

  local function isKnown(state, group)
    if state == 'pending' or state == '' then
      return isSound(places.pending, 'list')
    elseif state == 'active' then
      return isSound(places.active, 'list') and isSound(places.lease, 'zset')
    elseif state == 'aggregating' then
      return isSound(places.aggregationSets, 'zset') and (not group or isSound(groupPrefix .. group, 'zset'))
    end
    return not places[state] or isSound(places[state], 'zset')
  end

  return inList, inPlace, moved, isKnown
end
