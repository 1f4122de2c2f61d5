-- check-groups: checks whether groups and aggregation sets are listed for aggregators. Writes nothing.
--
-- KEYS[1]    groups           set   names of groups with waiting tasks
-- KEYS[2]    aggregationSets  zset  full key of an aggregation set -> its deadline, epoch seconds
-- ARGV[1]    groupPrefix      a group's key is this plus its name; built here, same hash slot
-- ARGV[2..]  names            of groups, or of aggregation sets (group, colon, set), that were found
--
-- Reply      array of the names that are neither listed nor registered
-- Cost       O(n log N), n names given, N aggregation sets
local groups, aggregationSets = KEYS[1], KEYS[2]
local groupPrefix = ARGV[1]

-- include: notices

if not isSound(groups, 'set') or not isSound(aggregationSets, 'zset') then
  return withNotices({})
end
local unknown = {}
for i = 2, #ARGV do
  local key = groupPrefix .. ARGV[i]
  if redis.call('SISMEMBER', groups, ARGV[i]) == 0 and not redis.call('ZSCORE', aggregationSets, key) then
    local size = redis.pcall('ZCARD', key)
    if type(size) == 'number' and size > 0 then
      unknown[#unknown + 1] = ARGV[i]
    end
  end
end
return unknown
