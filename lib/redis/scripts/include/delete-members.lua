-- delete-members: deletes the oldest members of an aggregation set with their tasks. Needs delete-tasks and notices
-- before it, and reports ids without a task.
--
-- deleteMembers(set, aggregationSets, taskPrefix)
-- Returns true when the set and its entry in the list of sets are gone; false when 500 were deleted and others are left.
local function deleteMembers(set, aggregationSets, taskPrefix)
  local page = redis.call('ZRANGE', set, 0, 499)
  if #page > 0 then
    redis.call('ZREM', set, unpack(page))
    noteDropped('group', deleteTasks(taskPrefix, page, 'aggregating'))
  end
  if redis.call('EXISTS', set) == 1 then
    return false
  end
  redis.call('ZREM', aggregationSets, set)
  return true
end
